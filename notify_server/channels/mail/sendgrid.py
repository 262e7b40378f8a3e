"""SendGrid by its v3 API: one request a mail over kept-alive connections, so that each has an answer of its own.

A body is written in pieces: attachments are encoded once for all mails, and no mail makes a copy of them.
"""

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from ssl import SSLError, create_default_context
from typing import Any

import httpx

from notify_server.channels.mail import sendgrid_answer
from notify_server.channels.mail.composition import mailbox
from notify_server.channels.mail.smtp import Limits
from notify_server.channels.mail.smtp_answer import UNSPEAKABLE
from notify_server.domain.mail import Address, Answer, Enclosure, Letter, Service, message_id
from notify_server.domain.texts import Mail

MAIL = "notify_mail"  # the custom argument by which events name the mail
_PATH = "/v3/mail/send"
_CONNECTIONS = 32
_PIECE = 65_536  # bytes
Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The shared part of a request: its JSON up to its recipient, and the members that hold its attachments."""

    shared: bytes
    enclosed: bytes


class SendgridTransport:
    """Sends through SendGrid at `endpoint`. Safe for many threads. Raises ValueError where the sender is no address."""

    service = Service.SENDGRID

    def __init__(self, endpoint: str, key: str, sender: Address, limits: Limits, clock: Callable[[], datetime]) -> None:
        self.sender = mailbox(sender).addr_spec
        self._from = _written(sender)
        self._clock = clock
        self._client = httpx.Client(
            base_url=endpoint,
            headers={"Authorization": f"Bearer {key}"},
            timeout=limits.timeout,
            verify=create_default_context(cafile=limits.ca_file or None),
            limits=httpx.Limits(max_connections=_CONNECTIONS),
            trust_env=False,
        )

    def enclose(self, attachments: Sequence[Enclosure]) -> bytes | None:
        """As in MailTransport."""
        if not attachments:
            return None
        files = [
            {"content": base64.b64encode(each.content).decode(), "type": each.type, "filename": each.name}
            for each in attachments
        ]
        return json.dumps({"attachments": files}).encode()[1:-1] + b", "

    def seal(self, mail: Mail, reply_to: str | None, enclosed: bytes | None) -> Sheet:
        """As in MailTransport."""
        if len(mail.subject.splitlines()) > 1:
            raise ValueError("A subject must stand on one line.")
        parts = [{"type": "text/plain", "value": mail.text}]
        if mail.html is not None:
            parts.append({"type": "text/html", "value": mail.html})
        body: Body = {"from": self._from, "subject": mail.subject, "content": parts}
        if reply_to:
            body["reply_to"] = _written(Address(reply_to))
        return Sheet(json.dumps(body).encode()[:-1] + b", ", enclosed or b"")

    def send(self, letter: Letter, sealed: Sheet) -> Answer:
        """As in MailTransport."""
        try:
            own = json.dumps(self._addressed(letter)).encode()[1:]
        except ValueError:
            return UNSPEAKABLE
        parts = [sealed.shared, sealed.enclosed, own]
        headers = {"Content-Type": "application/json", "Content-Length": str(sum(map(len, parts)))}
        try:
            answer = self._client.post(_PATH, content=_pieces(parts), headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            failed = isinstance(error.__cause__, SSLError) or "certificate" in str(error).lower()
            return sendgrid_answer.TLS_FAILED if failed else sendgrid_answer.NEVER_SENT
        except httpx.HTTPError:
            return sendgrid_answer.NOT_ANSWERED
        return sendgrid_answer.answer(answer.status_code, answer.headers, _field(answer), self._clock())

    def _addressed(self, letter: Letter) -> Body:
        headers = {"Message-ID": message_id(letter, self.sender), "Auto-Submitted": "auto-generated"}
        if letter.unsubscribe:
            headers["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
            headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        to = mailbox(Address(letter.to)).addr_spec
        return {"personalizations": [{"to": [{"email": to}], "headers": headers, "custom_args": {MAIL: letter.id}}]}

    def close(self) -> None:
        """As in MailTransport."""
        self._client.close()


def _pieces(parts: Sequence[bytes]) -> Iterator[bytes]:
    """A body as it is sent: what is long by the piece, as no layer below then copies what is left of it each time."""
    for part in parts:
        for start in range(0, len(part), _PIECE):
            yield part[start : start + _PIECE]


def _written(address: Address) -> dict[str, str]:
    named = {"name": address.name} if address.name else {}
    return {"email": mailbox(address).addr_spec} | named


def _field(answer: httpx.Response) -> str | None:
    """The field at fault of a 400; never the words, which may quote the mail."""
    if answer.status_code != HTTPStatus.BAD_REQUEST:
        return None
    try:
        errors = answer.json()["errors"]
        return next((str(error["field"])[:64] for error in errors if error.get("field")), None)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
