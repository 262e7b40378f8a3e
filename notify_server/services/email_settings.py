"""The settings of the channel email: made through the API, used by workers within a second, without a restart.

Secrets come from the environment, or sealed from the database. A stored password is for the server that it came with,
and is forgotten when that changes; the one of the environment is for NOTIFY_SMTP_HOST alone. So nobody who may change
settings can have a secret sent to a server of their own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock
from time import monotonic
from typing import Any

import structlog

from notify_server.domain.email_settings import EmailSettings, SmtpServer
from notify_server.domain.mail import Address, Security, Service
from notify_server.errors import Conflict, CredentialError, InvalidInput
from notify_server.services.clock import Clock
from notify_server.services.sealing import Seal
from notify_server.storage.settings import Settings

log = structlog.get_logger()

_NAME = "email"
_KEPT = 1.0  # seconds
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Environment:
    """What the environment says: secrets, the server that the password is for, and what holds while nothing is set."""

    smtp_host: str = ""
    smtp_password: str = ""
    sendgrid_key: str = ""
    fallback: EmailSettings = field(default_factory=EmailSettings)

    def password_for(self, server: SmtpServer) -> str | None:
        """The password of the environment, where it is for this server."""
        return self.smtp_password if self.smtp_password and server.host == self.smtp_host else None


@dataclass(frozen=True, slots=True)
class Shown:
    """Settings as they may be shown: without secrets. `secrets` names those that are there, and where they are."""

    settings: EmailSettings
    secrets: Mapping[str, str | None]
    updated_at: datetime | None


class EmailSettingsStore:
    """Reads and changes the settings. Safe for many threads."""

    def __init__(
        self,
        store: Settings,
        seal: Seal,
        environment: Environment,
        clock: Clock,
        ticks: Callable[[], float] = monotonic,
    ) -> None:
        self._store = store
        self._seal = seal
        self._environment = environment
        self._clock = clock
        self._ticks = ticks
        self._lock = Lock()
        self._kept: tuple[float, EmailSettings] | None = None

    def current(self) -> EmailSettings:
        """What to send by now, no older than a second. Raises CredentialError where a stored secret cannot be read."""
        with self._lock:
            if self._kept is None or self._ticks() - self._kept[0] >= _KEPT:
                self._kept = (self._ticks(), self._opened(self._store.get(_NAME)))
            return self._kept[1]

    def show(self) -> Shown:
        """What is set, without secrets."""
        found = self._store.get(_NAME)
        settings = self._environment.fallback if found is None else _read(found)
        return Shown(settings, self._secrets(found, settings), None if found is None else found["updated_at"])

    def put(self, wanted: EmailSettings) -> Shown:
        """Replace the settings; a secret that is not given stays, as long as what it is for stays.

        Raises InvalidInput naming what is missing, and Conflict where somebody else changes them at this moment.
        """
        found = self._store.get(_NAME)
        sealed = self._sealed(wanted, found or {})
        self._check(wanted, sealed)
        if not self._store.put(_NAME, _written(wanted) | sealed, (found or {}).get("version", 0), self._clock()):
            raise Conflict("Somebody else has changed the settings at this moment. Look at them, and try again.")
        with self._lock:
            self._kept = None
        log.info("email settings changed", service=wanted.service.value)
        return self.show()

    def _sealed(self, wanted: EmailSettings, found: Document) -> Document:
        """The secrets to store: those given, and those that stay."""
        before = _read(found) if found else EmailSettings()
        kept: Document = {"smtp_password": None, "sendgrid_key": found.get("sendgrid_key")}
        if wanted.smtp and before.smtp and wanted.smtp.target == before.smtp.target:
            kept["smtp_password"] = found.get("smtp_password")
        given = {
            "smtp_password": wanted.smtp.password if wanted.smtp else None,
            "sendgrid_key": wanted.sendgrid_key,
        }
        paths = {"smtp_password": "smtp.password", "sendgrid_key": "sendgrid.key"}
        for name, secret in given.items():
            if secret is None:
                continue
            if not self._seal.usable:
                problem = "Set NOTIFY_SETTINGS_KEY to have secrets stored, or give this one by the environment."
                raise InvalidInput({paths[name]: [problem]})
            kept[name] = self._seal.close(secret)
        return kept

    def _check(self, wanted: EmailSettings, sealed: Document) -> None:
        problems: dict[str, list[str]] = {}
        if wanted.service is not Service.DISABLED and wanted.sender is None:
            problems["from"] = ["Missing: the address that mails come from."]
        if wanted.service is Service.SMTP:
            if wanted.smtp is None:
                problems["smtp"] = ["Missing: the server that takes the mails."]
            elif wanted.smtp.username and not (sealed["smtp_password"] or self._environment.password_for(wanted.smtp)):
                problems["smtp.password"] = ["Missing: give it here, or by NOTIFY_SMTP_PASSWORD for NOTIFY_SMTP_HOST."]
        if wanted.service is Service.SENDGRID and not (sealed["sendgrid_key"] or self._environment.sendgrid_key):
            problems["sendgrid.key"] = ["Missing: give it here, or by NOTIFY_SENDGRID_KEY."]
        if problems:
            raise InvalidInput(problems)

    def _opened(self, found: Document | None) -> EmailSettings:
        """With the secrets that the service needs."""
        if found is None:
            return self._environment.fallback
        settings = _read(found)
        if settings.service is Service.SMTP and settings.smtp is not None and settings.smtp.username:
            password = self._secret(found.get("smtp_password"), self._environment.password_for(settings.smtp))
            return replace(settings, smtp=replace(settings.smtp, password=password))
        if settings.service is Service.SENDGRID:
            key = self._secret(found.get("sendgrid_key"), self._environment.sendgrid_key or None)
            return replace(settings, sendgrid_key=key)
        return settings

    def _secret(self, sealed: str | None, given: str | None) -> str:
        if sealed is not None:
            return self._seal.open(sealed)
        if given is None:
            raise CredentialError("A secret of the mail service is not there any more: it came by the environment.")
        return given

    def _secrets(self, found: Document | None, settings: EmailSettings) -> dict[str, str | None]:
        stored, environment = found or {}, self._environment
        password = settings.smtp and environment.password_for(settings.smtp)
        return {
            "smtp_password": "stored" if stored.get("smtp_password") else ("environment" if password else None),
            "sendgrid_key": "stored"
            if stored.get("sendgrid_key")
            else ("environment" if environment.sendgrid_key else None),
        }


def _written(settings: EmailSettings) -> Document:
    smtp, sender = settings.smtp, settings.sender
    return {
        "service": settings.service.value,
        "from": sender and {"address": sender.address, "name": sender.name},
        "reply_to": settings.reply_to,
        "smtp": smtp and dict(zip(("host", "port", "security", "username"), smtp.target, strict=True)),
        "webhook_key": settings.webhook_key,
    }


def _read(found: Document) -> EmailSettings:
    """Without secrets."""
    smtp, sender = found["smtp"], found["from"]
    return EmailSettings(
        service=Service(found["service"]),
        sender=sender and Address(sender["address"], sender["name"]),
        reply_to=found["reply_to"],
        smtp=smtp and SmtpServer(smtp["host"], smtp["port"], Security(smtp["security"]), smtp["username"]),
        webhook_key=found["webhook_key"],
        version=found["version"],
    )
