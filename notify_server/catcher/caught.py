"""What the catcher keeps: the newest mails, in memory."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from itertools import count
from typing import Any, TypeVar, cast

from notify_server.domain.rfc3339 import written

MOST = 1000  # mails
MOST_BYTES = 64 * 1024 * 1024  # of the sources of all

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Caught:
    """A mail as it came in, by its number, with what a list shows of it."""

    number: int
    at: datetime
    sender: str
    to: tuple[str, ...]
    content: bytes
    subject: str = ""
    message_id: str = ""

    def summary(self) -> dict[str, Any]:
        """What a list shows of it."""
        return {
            "id": self.number,
            "at": written(self.at),
            "from": self.sender,
            "to": list(self.to),
            "subject": self.subject,
            "message_id": self.message_id,
            "size": len(self.content),
        }

    def whole(self) -> dict[str, Any]:
        """The same with headers, text, HTML and the names of attachments; with nothing for what cannot be read."""
        message = _parsed(self.content)
        headers = [(name, _read(policy.default.header_fetch_parse, name, raw)) for name, raw in message.raw_items()]
        return self.summary() | {
            "headers": [[name, str(value)] for name, value in headers if value is not None],
            "text": _read(_body, message, "plain"),
            "html": _read(_body, message, "html"),
            "attachments": _read(_attachments, message) or [],
        }


class Mails:
    """The newest, of at most MOST and MOST_BYTES. For one thread."""

    def __init__(self) -> None:
        self._kept: deque[Caught] = deque()
        self._bytes = 0
        self._numbers = count(1)

    def add(self, sender: str, to: list[str], content: bytes) -> Caught:
        """Keep a mail, and forget the oldest to make room; one of more than MOST_BYTES is not kept."""
        head = _parsed(content, heads=True)
        subject, message_id = (str(_read(head.get, name) or "") for name in ("Subject", "Message-ID"))
        caught = Caught(next(self._numbers), datetime.now(UTC), sender, tuple(to), content, subject, message_id)
        self._kept.append(caught)
        self._bytes += len(content)
        while len(self._kept) > MOST or self._bytes > MOST_BYTES:
            self._bytes -= len(self._kept.popleft().content)
        return caught

    def newest(self) -> list[Caught]:
        """All that are kept, the newest first."""
        return list(reversed(self._kept))

    def find(self, number: int) -> Caught | None:
        """The one with this number."""
        return next((caught for caught in self._kept if caught.number == number), None)

    def clear(self) -> None:
        """Forget them."""
        self._kept.clear()
        self._bytes = 0


def _parsed(content: bytes, *, heads: bool = False) -> EmailMessage:
    """A mail as the parser has it, with `heads` no more than its headers; an empty one where it cannot be parsed."""
    parser = BytesParser(_class=EmailMessage, policy=policy.default)
    found = _read(parser.parsebytes, content, heads)
    return EmailMessage() if found is None else found  # one without headers is false


def _read(read: Callable[..., Value], *given: object) -> Value | None:
    """What a part of a mail says; None where the parser cannot tell."""
    try:
        return read(*given)
    except Exception:  # noqa: BLE001 - on what is no mail it raises nearly anything, also errors of its own making
        return None


def _attachments(message: EmailMessage) -> list[dict[str, str | None]]:
    return [{"name": part.get_filename(), "type": part.get_content_type()} for part in message.iter_attachments()]


def _body(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    return None if part is None else str(cast(EmailMessage, part).get_content())
