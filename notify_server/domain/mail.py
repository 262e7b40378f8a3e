"""A mail: what one recipient of a notification gets by the channel `email`, and what becomes of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Protocol

from notify_server.domain.outcome import Outcome
from notify_server.domain.registry import Reason, Status
from notify_server.domain.texts import Mail


class Service(StrEnum):
    """What mails are handed to."""

    SMTP = "smtp"
    SENDGRID = "sendgrid"
    DISABLED = "disabled"


class Security(StrEnum):
    """How a connection to an SMTP server is encrypted."""

    STARTTLS = "starttls"  # begun in the clear, and encrypted before anything is said
    TLS = "tls"  # from the first byte
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox, with the name to show for it."""

    address: str
    name: str | None = None

    def __repr__(self) -> str:
        return "Address(…)"  # it is a person's


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail on its way out: to whom, under which id, and where one click ends mails of its category."""

    to: str
    id: str
    resends: int = 0
    unsubscribe: str | None = None

    def __repr__(self) -> str:
        return f"Letter({self.id})"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a mail service said of one letter. `detail` holds codes alone: its words may name the recipient."""

    outcome: Outcome
    detail: str | None = None
    provider_id: str | None = None


class Sealed(Protocol):
    """A mail made ready for any number of letters. Only its transport looks inside."""


class MailTransport(Protocol):
    """Hands letters to a mail service. `sender` is the address that mails come from, with its domain in ASCII."""

    service: Service
    sender: str

    def enclose(self, attachments: "Sequence[Enclosure]") -> Any:
        """Make attachments ready once for all mails that they go with; None where there are none.

        Raises ValueError where a header would hold what no header may.
        """

    def seal(self, mail: Mail, reply_to: str | None, enclosed: Any) -> Sealed:
        """Make a mail ready once for all who get the same, with what `enclose` gave, of which it makes no copy.

        Raises ValueError where a header would hold what no header may.
        """

    def send(self, letter: Letter, sealed: Any) -> Answer:
        """Hand over a letter with what `seal` gave, and wait for the answer.

        Never raises for what a service or a network does. Safe to call from many threads.
        """

    def close(self) -> None:
        """Release connections, when no letter is on its way."""


class Enclosure(Protocol):
    """A file that goes with a mail."""

    @property
    def name(self) -> str:
        """Its file name."""

    @property
    def type(self) -> str:
        """Its media type."""

    @property
    def content(self) -> bytes:
        """Its bytes."""


@dataclass(frozen=True, slots=True)
class MailRecord:
    """A line of the mail registry: one per recipient of a notification that goes by mail.

    `status` uses the words of registry entries: `sent` is accepted by the mail service, `received` by the recipient's
    server, `read` is opened. `doubtful`: the connection broke after it was handed over, so it may have been sent twice.
    """

    id: str
    notification: str
    user: str
    status: Status
    created_at: datetime
    expires_at: datetime
    ends_at: datetime
    address: str | None = None
    reason: Reason | None = None
    category: str | None = None
    action: str | None = None
    template: str | None = None
    locale: str | None = None
    content: str | None = None
    subject: str | None = None
    attempts: int = 0
    resends: int = 0
    detail: str | None = None
    service: str | None = None
    provider_id: str | None = None
    message_id: str | None = None
    doubtful: bool = False
    sent_at: datetime | None = None
    received_at: datetime | None = None
    read_at: datetime | None = None
    updated_at: datetime | None = None

    def __repr__(self) -> str:
        return f"MailRecord({self.id}, {self.status})"


def digest(mail: Mail) -> str:
    """The same for mails that say the same."""
    return sha256("\0".join((mail.subject, mail.text, mail.html or "")).encode(errors="surrogatepass")).hexdigest()


def mail_id(notification: str, user: str) -> str:
    """The id of the mail to `user`: it begins with its notification's, so that ids sort by time, and names nobody."""
    return notification + sha256(f"{notification}\0{user}".encode()).hexdigest()[:16]


def message_id(letter: Letter, sender: str) -> str:
    """The Message-ID: the same for each attempt, so that a mail that is sent twice is one; another for a resend."""
    part = f".{letter.resends}" if letter.resends else ""
    return f"<{letter.id}{part}@{sender.rpartition('@')[2]}>"
