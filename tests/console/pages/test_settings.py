from dataclasses import replace

import pytest
from flask import Flask

from notify_server.bootstrap import build_services
from notify_server.console.app import create_app
from notify_server.console.mount import Mounted
from notify_server.domain.email_settings import EmailSettings
from tests.console.visitor import Visitor, said

PASSWORD = "a password that nobody may see"
SMTP = {
    "service": "smtp", "from_address": "office@school.example", "from_name": "Our school",
    "host": "mail.school.example", "port": "587", "security": "starttls", "username": "notify", "password": PASSWORD,
}  # fmt: skip


@pytest.fixture
def services(config, database):
    """With a key to encrypt secrets with."""
    return build_services(replace(config, settings_key="a key of the tests that is long enough"), database)


@pytest.fixture
def admin(config, services):
    visitor = Visitor(Mounted(Flask("api"), create_app(config, services)))
    visitor.sign_in(services.server_tokens.create("ops", []))
    return visitor


def save(admin, **fields):
    """Fill in the form as it comes, and send it."""
    version = admin.get("/settings/email").text.partition('name="version" value="')[2].partition('"')[0]
    return admin.submit("/settings/email", **{"version": version, **fields})


def test_what_is_saved_holds_and_is_shown_without_secrets(admin, services, database):
    answer = save(admin, **SMTP)
    assert (answer.status_code, answer.location) == (303, "/console/settings/email?saved=1")
    settings = services.email_settings.current()
    assert (settings.service, settings.sender.name, settings.smtp.password) == ("smtp", "Our school", PASSWORD)
    page = admin.get("/settings/email?saved=1")
    assert "Saved." in said(page)
    assert 'value="mail.school.example"' in page.text
    assert "One is stored. Left empty it stays" in said(page)
    assert PASSWORD not in page.text
    [line] = database["audit"].find({"action": "console.put_email"})
    assert (line["fields"], line["status"]) == (["from", "service", "smtp"], 303)
    assert PASSWORD not in str(line)


def test_a_secret_is_stored_as_it_was_entered_and_all_else_without_spaces_around(admin, services):
    given = SMTP | {"password": "  spaces around ", "host": " mail.school.example "}
    assert save(admin, **given).status_code == 303
    settings = services.email_settings.current()
    assert (settings.smtp.password, settings.smtp.host) == ("  spaces around ", "mail.school.example")
    refused = save(admin, **SMTP | {"service": "sendgrid", "key": "SG.key "})
    assert (refused.status_code, 'id="key-fault"' in refused.text) == (422, True)


def test_a_secret_that_is_left_empty_stays_as_long_as_what_it_is_for(admin, services):
    save(admin, **SMTP)
    save(admin, **SMTP | {"password": "", "from_name": ""})
    assert services.email_settings.current().smtp.password == PASSWORD
    assert services.email_settings.current().sender.name is None
    answer = save(admin, **SMTP | {"password": "", "host": "mail.elsewhere.example"})
    assert answer.status_code == 422
    assert 'id="password-fault"' in answer.text
    assert services.email_settings.current().smtp.host == "mail.school.example"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"service": "pigeons"}, "service"),
        ({"from_address": ""}, "from_address"),
        ({"from_address": "no address"}, "from_address"),
        ({"host": ""}, "host"),
        ({"port": "many"}, "port"),
        ({"port": "70000"}, "port"),
        ({"port": "9" * 5000}, "port"),
        ({"port": "\N{ARABIC-INDIC DIGIT FIVE}"}, "port"),
        ({"security": "none"}, "security"),
        ({"username": ""}, "password"),
        ({"reply_to": "x"}, "reply_to"),
        ({"service": "sendgrid"}, "key"),
        ({"webhook_key": "x"}, "webhook_key"),
    ],
)
def test_what_is_wrong_stands_by_its_field_and_nothing_is_changed(admin, services, wrong, field):
    page = save(admin, **SMTP | wrong)
    assert page.status_code == 422
    assert f'id="{field}-fault"' in page.text
    assert "Nothing was changed." in said(page)
    assert PASSWORD not in page.text
    assert services.email_settings.current() == EmailSettings()


def test_mail_is_switched_off_by_an_empty_form(admin, services):
    save(admin, **SMTP)
    assert save(admin, service="disabled", port="587", security="starttls").status_code == 303
    assert services.email_settings.show().settings.smtp is None


def test_who_was_overtaken_is_shown_what_holds_now(admin, services):
    version = services.email_settings.show().settings.version
    save(admin, **SMTP)
    page = admin.submit("/settings/email", **SMTP | {"version": str(version), "host": "mail.late.example"})
    assert page.status_code == 409
    assert "Somebody else has changed the settings since you opened this form." in said(page)
    assert 'value="mail.school.example"' in page.text
    assert services.email_settings.current().smtp.host == "mail.school.example"


def test_without_a_key_no_secret_is_taken(config, database):
    services = build_services(config, database)
    visitor = Visitor(Mounted(Flask("api"), create_app(config, services)))
    visitor.sign_in(services.server_tokens.create("ops", []))
    assert "Set NOTIFY_SETTINGS_KEY to have secrets stored" in said(save(visitor, **SMTP))
