import pytest
from marshmallow import ValidationError

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


@pytest.mark.parametrize("host", ["a..b", "x" * 64, ".a", "a.", "-a", "a b", "a/b", "schüle.example", ""])
def test_a_host_that_no_resolver_takes_is_refused(host):
    with pytest.raises(ValidationError) as caught:
        EmailSettingsSchema().load({"service": "smtp", "smtp": {"host": host, "port": 25}})
    assert caught.value.messages["smtp"].keys() == {"host"}


@pytest.mark.parametrize(
    "host", ["mail", "mail.example.org", "x" * 63 + ".example", "127.0.0.1", "::1", "fe80::1", "a_b.c"]
)
def test_names_and_addresses_are_hosts(host):
    assert EmailSettingsSchema().load({"service": "smtp", "smtp": {"host": host, "port": 25}}).smtp.host == host


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("from", {"address": "ä@example.org"}),
        ("from", {"address": "n@example.org", "name": "=?utf-8?q?x?="}),
        ("reply_to", "ä@example.org"),
    ],
)
def test_what_no_mail_could_name_as_its_sender_is_refused(field, value):
    """It would have each mail refused, for as long as the settings are these."""
    with pytest.raises(ValidationError) as caught:
        EmailSettingsSchema().load({"service": "disabled", field: value})
    assert caught.value.messages.keys() == {field}


def test_a_domain_of_another_script_may_send():
    loaded = EmailSettingsSchema().load({"service": "disabled", "from": {"address": "n@schüle.example"}})
    assert loaded.sender == Address("n@schüle.example")


@pytest.mark.parametrize("key", ["SG.x ", " SG.x", "SG x", "SG.ü", "SG.x\n"])
def test_a_key_that_no_header_can_hold_is_refused_without_being_repeated(key):
    with pytest.raises(ValidationError) as caught:
        EmailSettingsSchema().load({"service": "sendgrid", "sendgrid": {"key": key}})
    assert caught.value.messages == {"sendgrid": {"key": ["Must have no spaces, and no characters beyond ASCII."]}}
