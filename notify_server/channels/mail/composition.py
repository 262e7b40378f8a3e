"""Mails as bytes: what is the same for all recipients is written once, and each one's own header lines put before it.

`email.message` with its SMTP policy writes headers, and refuses line breaks in them. But it reads what it is given:
encoded words (RFC 2047) in the text of others become what they encode, line breaks among it. So it gets no text that
may hold one: a subject is encoded here, names and addresses are refused, and the finished head is looked at again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.header import Header
from email.headerregistry import Address as Mailbox
from email.message import EmailMessage
from email.utils import format_datetime

import idna

from notify_server.domain.mail import Address, Enclosure, Letter, message_id
from notify_server.domain.texts import Mail

_POLICY = policy.SMTP.clone(cte_type="7bit")
_ENCODED = "=?"  # begins an encoded word
_HEAD = {b"from", b"reply-to", b"auto-submitted", b"mime-version", b"content-type", b"content-transfer-encoding"}
_LONGEST = 75  # characters of a line of a subject
_ONE_CLICK = "List-Unsubscribe=One-Click"  # RFC 8058, section 3.1


@dataclass(frozen=True, slots=True)
class Written:
    """The shared part of a mail: header lines and body, from which its recipients' own lines are missing."""

    shared: bytes
    sender: str


def write(mail: Mail, sender: Address, reply_to: str | None, attachments: Sequence[Enclosure] = ()) -> Written:
    """Text, HTML and attachments as MIME. Raises ValueError where a header would hold a line break."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = mailbox(sender)
    if reply_to:
        message["Reply-To"] = mailbox(Address(reply_to))
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answer to this
    message.set_content(mail.text, cte="quoted-printable" if mail.text.isascii() else None)
    if mail.html is not None:
        message.add_alternative(mail.html, subtype="html")
    for attachment in attachments:
        if _ENCODED in attachment.name:
            raise ValueError("An attachment's name may hold no encoded word.")
        kind, _, subtype = attachment.type.partition("/")
        message.add_attachment(attachment.content, maintype=kind, subtype=subtype, filename=attachment.name)
    written = message.as_bytes()
    _check_head(written)
    return Written(_subject(mail.subject) + written, ascii_address(sender.address))


def complete(written: Written, letter: Letter, now: datetime) -> bytes:
    """The mail to one recipient. Raises ValueError where their address cannot stand in a header."""
    head = EmailMessage(policy=_POLICY)
    head["To"] = mailbox(Address(letter.to))  # refuses what could break the line
    lines = [_line("Message-ID", message_id(letter, written.sender)), _line("Date", format_datetime(now))]
    if letter.unsubscribe:
        lines += [_line("List-Unsubscribe", f"<{letter.unsubscribe}>"), _line("List-Unsubscribe-Post", _ONE_CLICK)]
    return head.as_bytes().rstrip(b"\r\n") + b"\r\n" + b"".join(lines) + written.shared


def mailbox(address: Address) -> Mailbox:
    """For a header. Raises ValueError where it is no address, or would break the line."""
    for part in (address.address, address.name or ""):
        if not part.isprintable() or _ENCODED in part:
            raise ValueError("An address must be printable, stand on one line, and hold no encoded word.")
    return Mailbox(address.name or "", addr_spec=ascii_address(address.address))


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


def _subject(text: str) -> bytes:
    """The header line of a subject, which is encoded unless it is plain: no reader finds anything in it but `text`."""
    if not text.isprintable():
        raise ValueError("A subject must be printable and stand on one line.")
    plain = text.isascii() and _ENCODED not in text and len(text) <= _LONGEST
    value = text if plain else Header(text, "utf-8", _LONGEST, "Subject").encode(linesep="\r\n")
    return f"Subject: {value}\r\n".encode("ascii")


def _check_head(written: bytes) -> None:
    """Raises ValueError where a header stands in the head that nobody has put there."""
    head, _, _ = written.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        if not line.startswith((b" ", b"\t")) and line.partition(b":")[0].lower() not in _HEAD:
            raise ValueError("A header may hold no other one.")


def _line(name: str, value: str) -> bytes:
    """A header line of our own making, which is never folded."""
    if not value.isascii() or not value.isprintable():
        raise ValueError(f"{name} must be printable ASCII.")
    return f"{name}: {value}\r\n".encode()
