"""The mail service that the settings ask for at this moment: its transport is opened anew when they change.

What is in use is not closed: the last of those who use it does so. They ask between two mails whether it still is what
the settings ask for.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

import structlog

from notify_server.domain.email_settings import EmailSettings
from notify_server.domain.mail import Answer, MailTransport
from notify_server.domain.outcome import Kind, Outcome
from notify_server.domain.registry import Reason
from notify_server.errors import CredentialError
from notify_server.services.email_settings import EmailSettingsStore

log = structlog.get_logger()

_UNREADABLE = Answer(Outcome(Kind.RETRY, Reason.CREDENTIAL_REFUSED), "the stored secret cannot be read")
_UNSPEAKABLE = Answer(Outcome(Kind.RETRY, Reason.SENDER_REFUSED), "the sender is no address that mails can name")

Open = Callable[[EmailSettings], MailTransport | None]


@dataclass(eq=False, slots=True)
class Opened:
    """What the settings ask for: a transport, or else the answer that every mail gets; neither: mail is disabled."""

    settings: EmailSettings | None
    transport: MailTransport | None = None
    refusal: Answer | None = None
    users: int = 0


class MailService:
    """Safe for many threads."""

    def __init__(self, settings: EmailSettingsStore, open_transport: Open) -> None:
        self._settings = settings
        self._open = open_transport
        self._lock = Lock()
        self._now: Opened | None = None

    @contextmanager
    def use(self) -> Iterator[Opened]:
        """What is set, no older than a second. It stays open for as long as it is in use."""
        wanted = self._wanted(aloud=True)
        with self._lock:
            opened = self._now
            if opened is None or opened.settings != wanted:
                opened = self._opened(wanted)
                self._replace(opened)
            opened.users += 1
        try:
            yield opened
        finally:
            with self._lock:
                opened.users -= 1
                if opened is not self._now:
                    _end(opened)

    def is_current(self, opened: Opened) -> bool:
        """Whether that is still what is set, as of a second ago at most."""
        wanted = self._wanted()
        return opened.settings is wanted or opened.settings == wanted

    def close(self) -> None:
        """Release connections, when nobody uses any."""
        with self._lock:
            self._replace(None)

    def _wanted(self, *, aloud: bool = False) -> EmailSettings | None:
        """What is set; None: it cannot be read."""
        try:
            return self._settings.current()
        except CredentialError as error:
            if aloud:
                log.error("mail_credential_unreadable", detail=str(error))
            return None

    def _opened(self, wanted: EmailSettings | None) -> Opened:
        if wanted is None:
            return Opened(None, refusal=_UNREADABLE)
        try:
            opened = Opened(wanted, self._open(wanted))
        except ValueError:
            log.error("mail_sender_refused", detail=_UNSPEAKABLE.detail)
            return Opened(wanted, refusal=_UNSPEAKABLE)
        log.info("mail service opened", service=wanted.service.value, version=wanted.version)
        return opened

    def _replace(self, opened: Opened | None) -> None:
        before, self._now = self._now, opened
        if before is not None:
            _end(before)


def _end(opened: Opened) -> None:
    """Close what is not current any more, if nobody uses it."""
    if not opened.users and opened.transport is not None:
        opened.transport.close()
        opened.transport = None
