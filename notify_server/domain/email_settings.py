"""How mail goes out: the settings that an administrator makes while the server runs."""

from dataclasses import dataclass

from notify_server.domain.mail import Address, Security, Service


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where an SMTP server is, and how we prove ourselves to it."""

    host: str
    port: int
    security: Security = Security.STARTTLS
    username: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return f"SmtpServer({self.host}:{self.port})"

    @property
    def target(self) -> tuple[str, int, str, str | None]:
        """What a stored password belongs to: it is never sent anywhere else."""
        return (self.host, self.port, self.security.value, self.username)


@dataclass(frozen=True, slots=True)
class EmailSettings:
    """Everything that a worker needs to send. `version` grows with each change; 0: nothing is stored."""

    service: Service = Service.DISABLED
    sender: Address | None = None
    reply_to: str | None = None
    smtp: SmtpServer | None = None
    sendgrid_key: str | None = None
    webhook_key: str | None = None
    version: int = 0

    def __repr__(self) -> str:
        return f"EmailSettings({self.service}, version {self.version})"  # it holds secrets
