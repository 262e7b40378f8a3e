"""Mails as bytes: what is the same for all recipients is written once, and each one's own header lines put before it.

`email.message` with its SMTP policy writes headers, and refuses line breaks in them. But it reads what it is given:
encoded words (RFC 2047) in the text of others become what they encode, line breaks among it. So it gets no text that
may hold one: a subject is encoded here, names and addresses are refused, and the finished head is looked at again.

Attachments are encoded once for all mails of a notification, whatever else these say: one copy, however many there are.
"""

import re
from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address as Mailbox
from email.message import EmailMessage, MIMEPart
from email.utils import format_datetime
from functools import lru_cache
from secrets import token_hex

import idna

from notify_server.domain.mail import Address, Enclosure, Letter, message_id
from notify_server.domain.texts import Mail

_POLICY = policy.SMTP.clone(cte_type="7bit")
_ENCODED = "=?"  # begins an encoded word
_BREAKING = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # may end a line, or is no character
_HEAD = {b"from", b"reply-to", b"auto-submitted"}
_PART_HEAD = {b"content-type", b"content-transfer-encoding", b"content-disposition", b"mime-version"}
_LONGEST = 75  # characters of a line of a subject
_FOLDED = 900  # characters of a link after which its line is folded: a line of a mail may have 998
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,180}")
_ONE_CLICK = "List-Unsubscribe=One-Click"  # RFC 8058, section 3.1


@dataclass(frozen=True, slots=True)
class Enclosed:
    """Attachments as the last parts of a mail, up to its end; `boundary` is what parts them."""

    boundary: str
    parts: bytes


@dataclass(frozen=True, slots=True)
class Written:
    """The shared part of a mail: header lines and body, from which its recipients' own lines are missing."""

    shared: bytes
    sender: str
    enclosed: bytes = b""


def enclose(attachments: Sequence[Enclosure]) -> Enclosed | None:
    """Attachments, encoded; None where there are none. Raises ValueError where a header would hold what it may not."""
    if not attachments:
        return None
    boundary = f"=_{token_hex(16)}"  # in no base64 and no quoted-printable text
    pieces = [f"--{boundary}\r\n".encode() + _attached(each) + b"\r\n" for each in attachments]
    return Enclosed(boundary, b"".join(pieces) + f"--{boundary}--\r\n".encode())


def write(mail: Mail, sender: Address, reply_to: str | None, enclosed: Enclosed | None = None) -> Written:
    """Text, HTML and attachments as MIME. Raises ValueError where a header would hold a line break."""
    head = _subject(mail.subject) + _head(sender, reply_to) + b"MIME-Version: 1.0\r\n"
    address = ascii_address(sender.address)
    if enclosed is None:
        return Written(head + _said(mail), address)
    kind = f'Content-Type: multipart/mixed; boundary="{enclosed.boundary}"\r\n\r\n--{enclosed.boundary}\r\n'
    return Written(head + kind.encode() + _said(mail) + b"\r\n", address, enclosed.parts)


def complete(written: Written, letter: Letter, now: datetime) -> bytes:
    """The mail to one recipient, up to its attachments. Raises ValueError where their address fits into no header."""
    lines = [_to(letter.to), _line("Message-ID", message_id(letter, written.sender))]
    lines.append(_line("Date", format_datetime(now)))
    if letter.unsubscribe:
        lines += [_link("List-Unsubscribe", letter.unsubscribe), _line("List-Unsubscribe-Post", _ONE_CLICK)]
    return b"".join(lines) + written.shared


def mailbox(address: Address) -> Mailbox:
    """For a header. Raises ValueError where it is no address, or would break the line."""
    for part in (address.address, address.name or ""):
        if _BREAKING.search(part) or _ENCODED in part:
            raise ValueError("An address must stand on one line, without control characters and encoded words.")
    try:
        return Mailbox(address.name or "", addr_spec=ascii_address(address.address))
    except (MessageError, IndexError, AttributeError):  # its parser raises each of these
        raise ValueError("Not an address.") from None


def ascii_address(address: str) -> str:
    """The address with its domain in ASCII (IDNA). Raises ValueError where the part before the @ is not, or it is none.

    SMTPUTF8 would be needed for that, which few servers have.
    """
    local, _, domain = address.rpartition("@")
    if not local or not local.isascii() or not domain:
        raise ValueError("Not an address that every mail server takes.")
    if domain.isascii():
        return address
    return f"{local}@{idna.encode(domain, uts46=True).decode()}"  # IDNAError is a ValueError


def _said(mail: Mail) -> bytes:
    """Text, and HTML where there is some: the head of the part, and its content."""
    text = _part(mail.text, "plain")
    if mail.html is None:
        return text
    boundary = f"=_{token_hex(16)}"
    pieces = b"".join(f"--{boundary}\r\n".encode() + part + b"\r\n" for part in (text, _part(mail.html, "html")))
    head = f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'
    return head.encode() + pieces + f"--{boundary}--\r\n".encode()


def _part(text: str, subtype: str) -> bytes:
    """In quoted-printable, or in base64 where that is shorter. As fast as it gets: some are written for one reader."""
    lines = "".join(f"{line}\r\n" for line in re.split("\r\n|\r|\n", text.removesuffix("\n")))
    content = lines.encode()
    if len(content) - len(lines) > len(lines) // 6:
        encoding, encoded = "base64", encodebytes(content).replace(b"\n", b"\r\n")
    else:
        encoding, encoded = "quoted-printable", b2a_qp(content)
    head = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
    return head.encode() + encoded


def _attached(attachment: Enclosure) -> bytes:
    if _ENCODED in attachment.name:
        raise ValueError("An attachment's name may hold no encoded word.")
    kind, _, subtype = attachment.type.partition("/")
    part = MIMEPart(policy=_POLICY)
    part.set_content(
        attachment.content, maintype=kind, subtype=subtype, filename=attachment.name, disposition="attachment"
    )
    written = part.as_bytes()
    _check_head(written, _PART_HEAD)
    return written


@lru_cache(maxsize=64)
def _head(sender: Address, reply_to: str | None) -> bytes:
    """The header lines that tell of us."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = mailbox(sender)
    if reply_to:
        message["Reply-To"] = mailbox(Address(reply_to))
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answer to this
    written = message.as_bytes().rstrip(b"\r\n") + b"\r\n"
    _check_head(written, _HEAD)
    return written


def _to(address: str) -> bytes:
    """The header line of the recipient: written at once where the address is a usual one, else with care."""
    if _PLAIN_ADDRESS.fullmatch(address) and _ENCODED not in address:
        return f"To: {address}\r\n".encode()
    head = EmailMessage(policy=_POLICY)
    head["To"] = mailbox(Address(address))  # refuses what could break the line
    return head.as_bytes().rstrip(b"\r\n") + b"\r\n"


def _subject(text: str) -> bytes:
    """The header line of a subject, which is encoded unless it is plain: no reader finds anything in it but `text`."""
    if _BREAKING.search(text):
        raise ValueError("A subject must stand on one line, without control characters.")
    plain = text.isascii() and _ENCODED not in text and len(text) <= _LONGEST
    value = text if plain else Header(text, "utf-8", _LONGEST, "Subject").encode(linesep="\r\n")
    return f"Subject: {value}\r\n".encode("ascii")


def _check_head(written: bytes, allowed: set[bytes]) -> None:
    """Raises ValueError where a header stands in the head that nobody has put there."""
    head, _, _ = written.partition(b"\r\n\r\n")
    for line in head.rstrip(b"\r\n").split(b"\r\n"):
        if not line.startswith((b" ", b"\t")) and line.partition(b":")[0].lower() not in allowed:
            raise ValueError("A header may hold no other one.")


def _line(name: str, value: str) -> bytes:
    """A header line of our own making, which is never folded."""
    if not value.isascii() or not value.isprintable():
        raise ValueError(f"{name} must be printable ASCII.")
    return f"{name}: {value}\r\n".encode()


def _link(name: str, link: str) -> bytes:
    """A header line that holds a link, folded within it where it is too long for a line (RFC 2369, section 2)."""
    pieces = [link[start : start + _FOLDED] for start in range(0, len(link), _FOLDED)]
    if not all(piece.isascii() and piece.isprintable() for piece in pieces):
        raise ValueError(f"{name} must be printable ASCII.")
    folded = "\r\n ".join(pieces)
    return f"{name}: <{folded}>\r\n".encode()
