"""What the catcher keeps: the newest mails, in memory."""

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import count
from typing import Any, cast

MOST = 1000  # mails


@dataclass(frozen=True, slots=True)
class Caught:
    """A mail as it came in, by its number."""

    number: int
    at: datetime
    sender: str
    to: tuple[str, ...]
    content: bytes

    def as_json(self, *, whole: bool = False) -> dict[str, Any]:
        """What it says; `whole`: with headers, text, HTML and the names of attachments."""
        message = message_from_bytes(self.content, policy=policy.default)
        shown: dict[str, Any] = {
            "id": self.number,
            "at": self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "from": self.sender,
            "to": list(self.to),
            "subject": str(message["Subject"] or ""),
            "message_id": str(message["Message-ID"] or ""),
            "size": len(self.content),
        }
        if whole:
            shown["headers"] = [[name, str(value)] for name, value in message.items()]
            shown["text"], shown["html"] = (_body(message, kind) for kind in ("plain", "html"))
            shown["attachments"] = [
                {"name": part.get_filename(), "type": part.get_content_type()} for part in message.iter_attachments()
            ]
        return shown


class Mails:
    """The newest MOST of them. For one thread."""

    def __init__(self) -> None:
        self._kept: deque[Caught] = deque(maxlen=MOST)
        self._numbers = count(1)

    def add(self, sender: str, to: list[str], content: bytes) -> Caught:
        """Keep a mail."""
        caught = Caught(next(self._numbers), datetime.now(UTC), sender, tuple(to), content)
        self._kept.append(caught)
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


def _body(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    return None if part is None else str(cast(EmailMessage, part).get_content())
