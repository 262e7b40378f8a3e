"""A notification: one accepted payload. Immutable once accepted, except for its state."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from notify_server.domain.texts import Mail, Texts
from notify_server.domain.user import User

MAX_USERS = 50_000  # explicit users in one payload (contract)
MAX_TTL = 2_419_200  # seconds: four weeks, FCM's own limit
DEFAULT_TTL = 86_400  # seconds
OWN_KEYS = frozenset({"notification_id", "link", "category"})  # of `data`: set on the way to a device, not in a payload


class State(StrEnum):
    """How far the server is with a notification as a whole."""

    SCHEDULED = "scheduled"  # waits for its send_at
    ACCEPTED = "accepted"  # stored; no worker has begun
    DISPATCHING = "dispatching"  # being expanded or sent
    DONE = "done"  # every recipient has been dealt with; resends and receipts may still follow
    CANCELLED = "cancelled"


class Priority(StrEnum):
    """FCM's two delivery priorities; high also overtakes in our own queue."""

    HIGH = "high"
    NORMAL = "normal"


class Channel(StrEnum):
    """A way out."""

    PUSH = "push"
    REALTIME = "realtime"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Message:
    """What the user sees (title, body, image, link) and what the app gets (data)."""

    title: str | None = None
    body: str | None = None
    image: str | None = None
    link: str | None = None
    data: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return "Message(…)"  # bodies are never logged


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a notification addresses. `users` is sorted and without repeats."""

    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    communities: tuple[str, ...] = ()
    everyone: bool = False


@dataclass(frozen=True, slots=True)
class ResendPolicy:
    """Send again what no device has confirmed: first `after` seconds, at most `times` times, doubling the wait."""

    after: int = 900
    times: int = 2

    def wait(self, resends: int) -> int | None:
        """Seconds from a send to the check for its receipt, after `resends` resends; None: no more checks."""
        return self.after * 2**resends if resends < self.times else None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with the mail: its name, media type and content."""

    name: str
    type: str
    content: bytes

    def __repr__(self) -> str:
        return "Attachment(…)"


@dataclass(frozen=True, slots=True)
class Notification:
    """One accepted payload. `ttl` is in seconds, from `send_at` or else from `created_at`.

    What is `mandatory` is also sent to those who have muted it. `client` handed it over, from `address` (None: by the
    command line). `payload` is a JSON object, as text, that open sockets get in place of an inbox item. With
    `push_after` (seconds), push waits so long for a receipt and goes to those who sent none; with `email_after`, mail
    waits so long, and goes to those who have not read it. `reply_to` and `attachments` are for mail alone; most queries
    leave the attachments out.

    Where it was made from a template, `texts` is what it says in each locale, and `message` that of the default one;
    `mails` are its mails by locale, which are read by themselves. `disabled`: its `action` is, on every channel, so
    that nobody gets it.
    """

    id: str
    message: Message
    audience: Audience
    created_at: datetime
    state: State = State.ACCEPTED
    category: str | None = None
    community: str | None = None
    channels: tuple[Channel, ...] = (Channel.PUSH,)
    priority: Priority = Priority.NORMAL
    ttl: int = DEFAULT_TTL
    send_at: datetime | None = None
    resend: ResendPolicy = field(default_factory=ResendPolicy)
    mandatory: bool = False
    client: str | None = None
    address: str | None = None
    payload: str | None = None
    push_after: int | None = None
    email_after: int | None = None
    reply_to: str | None = None
    attachments: tuple[Attachment, ...] = ()
    action: str | None = None
    disabled: bool = False
    texts: Texts | None = None
    mails: Mapping[str, Mail] = field(default_factory=dict)

    @property
    def expires_at(self) -> datetime:
        """When nothing of it is sent any more."""
        return (self.send_at or self.created_at) + timedelta(seconds=self.ttl)

    @property
    def content(self) -> dict[str, Any] | None:
        """The object that `payload` holds."""
        found: dict[str, Any] | None = None if self.payload is None else json.loads(self.payload)
        return found

    @property
    def push_at(self) -> datetime | None:
        """When push follows the open sockets; None: at once."""
        return self._later(self.push_after)

    @property
    def email_at(self) -> datetime | None:
        """When mail follows the other channels; None: at once."""
        return self._later(self.email_after)

    def _later(self, seconds: int | None) -> datetime | None:
        return None if seconds is None else (self.send_at or self.created_at) + timedelta(seconds=seconds)

    def said(self, locale: str | None, user: User | None = None) -> Message:
        """What it says in one of its locales (None: the default one), to `user`, where it shows fields of theirs."""
        if self.texts is None:
            return self.message
        text = self.texts.of(locale)
        if user is not None and self.texts.fields:
            text = text.filled(user)
        return replace(self.message, title=text.title, body=text.body)
