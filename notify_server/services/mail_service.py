"""The mail service that the settings ask for at this moment: its transport is opened anew when they change."""

from collections.abc import Callable
from threading import Lock

import structlog

from notify_server.domain.email_settings import EmailSettings
from notify_server.domain.mail import Answer, MailTransport
from notify_server.domain.outcome import Kind, Outcome
from notify_server.domain.registry import Reason
from notify_server.errors import CredentialError
from notify_server.services.email_settings import EmailSettingsStore

log = structlog.get_logger()

UNREADABLE = Answer(Outcome(Kind.RETRY, Reason.CREDENTIAL_REFUSED), "the stored secret cannot be read")

Open = Callable[[EmailSettings], MailTransport | None]


class MailService:
    """Safe for many threads. What is closed lets mails end that are on their way."""

    def __init__(self, settings: EmailSettingsStore, open_transport: Open) -> None:
        self._settings = settings
        self._open = open_transport
        self._lock = Lock()
        self._now: EmailSettings | None = None
        self._transport: MailTransport | None = None

    def settings(self) -> EmailSettings:
        """What is set, no older than a second. Raises CredentialError where a secret cannot be read."""
        return self._settings.current()

    def transport(self) -> MailTransport | None:
        """The transport; None while mail is disabled. Raises CredentialError where a secret cannot be read."""
        try:
            wanted = self._settings.current()
        except CredentialError as error:
            log.error("mail_credential_unreadable", detail=str(error))
            raise
        with self._lock:
            if wanted != self._now:
                if self._transport is not None:
                    self._transport.close()
                self._transport, self._now = self._open(wanted), wanted
                log.info("mail service opened", service=wanted.service.value, version=wanted.version)
            return self._transport

    def close(self) -> None:
        """Release connections."""
        with self._lock:
            if self._transport is not None:
                self._transport.close()
            self._transport = self._now = None
