from datetime import UTC, datetime

import pytest

from notify_server.channels.mail.sendgrid import SendgridTransport
from notify_server.channels.mail.smtp import Limits, SmtpTransport
from notify_server.channels.mail.transport import open_mail_transport
from notify_server.domain.email_settings import EmailSettings, SmtpServer
from notify_server.domain.mail import Address, Service

SENDER, SMTP = Address("n@example.org"), SmtpServer("mail", 25)


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        (EmailSettings(Service.SMTP, SENDER, smtp=SMTP), SmtpTransport),
        (EmailSettings(Service.SENDGRID, SENDER, sendgrid_key="k"), SendgridTransport),
        (EmailSettings(Service.DISABLED, SENDER, smtp=SMTP), type(None)),
        (EmailSettings(Service.SMTP, None, smtp=SMTP), type(None)),
        (EmailSettings(Service.SMTP, SENDER), type(None)),
        (EmailSettings(Service.SENDGRID, SENDER), type(None)),
    ],
)
def test_settings_lead_to_their_transport(settings, kind):
    made = open_mail_transport(settings, "https://api.sendgrid.com", Limits(1.0), lambda: datetime.now(UTC))
    assert isinstance(made, kind)
    if made is not None:
        made.close()
