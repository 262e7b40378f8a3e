"""From settings to the transport that they ask for."""

from collections.abc import Callable
from datetime import datetime

from notify_server.channels.mail.sendgrid import SendgridTransport
from notify_server.channels.mail.smtp import Limits, SmtpTransport
from notify_server.domain.email_settings import EmailSettings
from notify_server.domain.mail import MailTransport, Service


def open_mail_transport(
    settings: EmailSettings, endpoint: str, limits: Limits, clock: Callable[[], datetime]
) -> MailTransport | None:
    """The transport; None where mail is disabled or the settings lack what it needs. `endpoint` is SendGrid's.

    Raises ValueError where the sender's address is none that a mail server takes; the API refuses such ones.
    """
    if settings.sender is None:
        return None
    if settings.service is Service.SMTP and settings.smtp is not None:
        return SmtpTransport(settings.smtp, settings.sender, limits, clock)
    if settings.service is Service.SENDGRID and settings.sendgrid_key:
        return SendgridTransport(endpoint, settings.sendgrid_key, settings.sender, limits, clock)
    return None
