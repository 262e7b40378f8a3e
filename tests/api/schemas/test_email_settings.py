from notify_server.api.schemas.email_settings import EmailSettingsSchema, ShownEmailSettingsSchema
from notify_server.domain.email_settings import EmailSettings, SmtpServer
from notify_server.domain.mail import Address, Security, Service
from notify_server.services.email_settings import Shown


def test_settings_are_read_whole():
    loaded = EmailSettingsSchema().load(
        {
            "service": "smtp",
            "from": {"address": "n@example.org", "name": "Notify"},
            "reply_to": "r@example.org",
            "smtp": {"host": "mail", "port": 465, "security": "tls", "username": "u", "password": "p"},
            "sendgrid": {"key": "SG.x"},
        }
    )
    server = SmtpServer("mail", 465, Security.TLS, "u", "p")
    assert loaded == EmailSettings(
        Service.SMTP, Address("n@example.org", "Notify"), "r@example.org", server, sendgrid_key="SG.x"
    )


def test_they_are_shown_without_secrets_even_if_they_were_there():
    settings = EmailSettings(
        Service.SMTP, smtp=SmtpServer("mail", 25, username="u", password="p4ss"), sendgrid_key="SG.x"
    )
    shown = ShownEmailSettingsSchema().dump(Shown(settings, {"smtp_password": "stored", "sendgrid_key": None}, None))
    assert "p4ss" not in str(shown)
    assert "SG.x" not in str(shown)
    assert shown["smtp"] == {"host": "mail", "port": 25, "security": "starttls", "username": "u"}
