from dataclasses import replace

import pytest

from notify_server.api.app import create_app
from notify_server.bootstrap import build_services
from tests.api.caller import Caller, refused
from tests.sendgrid_server import Signer

PATH = "/v1/settings/email"
SENDER = {"address": "notify@example.org", "name": "Notify"}
SMTP = {"host": "mail.example.org", "port": 587, "security": "starttls", "username": "notify"}
PASSWORD = "a password that nobody may see"


@pytest.fixture
def admin(config, database, contract):
    """Somebody who may change settings of a server that has a key to encrypt secrets with."""
    config = replace(config, settings_key="a key of the tests that is long enough")
    services = build_services(config, database)
    return Caller(create_app(config, services), contract, services.server_tokens.create("admin", []))


def test_nothing_is_set_at_first_and_mail_is_disabled(backend):
    assert backend.get(PATH).json == {
        "service": "disabled",
        "from": None,
        "reply_to": None,
        "smtp": None,
        "webhook_key": None,
        "secrets": {"smtp_password": None, "sendgrid_key": None},
        "version": 0,
        "updated_at": None,
    }


def test_what_was_set_is_shown_without_secrets(admin, database):
    put = admin.put(PATH, {"service": "smtp", "from": SENDER, "smtp": SMTP | {"password": PASSWORD}})
    assert put.status_code == 200, put.text
    shown = admin.get(PATH).json
    assert shown == put.json
    assert shown["smtp"] == SMTP
    assert shown["secrets"] == {"smtp_password": "stored", "sendgrid_key": None}
    assert PASSWORD not in put.text
    assert PASSWORD not in str(list(database["settings"].find()))


def test_a_change_is_audited_without_its_values(admin, database):
    admin.put(PATH, {"service": "smtp", "from": SENDER, "smtp": SMTP | {"password": PASSWORD}})
    [line] = database["audit"].find()
    assert (line["action"], line["fields"]) == ("settings.put_email", ["from", "service", "smtp"])
    assert PASSWORD not in str(line)


def test_no_secret_is_logged(admin, capfd):
    admin.put(PATH, {"service": "smtp", "from": SENDER, "smtp": SMTP | {"password": PASSWORD}})
    admin.put(PATH, {"service": "sendgrid", "from": SENDER, "sendgrid": {"key": PASSWORD}})
    captured = capfd.readouterr()
    assert PASSWORD not in captured.out + captured.err


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["service"]),
        ({"service": "pigeon"}, ["service"]),
        ({"service": "smtp"}, ["from", "smtp"]),
        ({"service": "smtp", "from": SENDER, "smtp": SMTP}, ["smtp.password"]),
        ({"service": "smtp", "from": SENDER, "smtp": SMTP | {"port": 0}}, ["smtp.port"]),
        ({"service": "smtp", "from": SENDER, "smtp": SMTP | {"host": "a b"}}, ["smtp.host"]),
        ({"service": "smtp", "from": SENDER, "smtp": SMTP | {"security": "none"}}, ["smtp.security"]),
        ({"service": "smtp", "from": SENDER | {"name": "x\r\nBcc: v@example.org"}, "smtp": SMTP}, ["from.name"]),
        ({"service": "smtp", "from": {"address": "x\r\n@example.org"}, "smtp": SMTP}, ["from.address"]),
        ({"service": "sendgrid", "from": SENDER}, ["sendgrid.key"]),
        ({"service": "disabled", "sendgrid": {"webhook_key": "x"}}, ["sendgrid.webhook_key"]),
        ({"service": "disabled", "colour": "red"}, ["colour"]),
    ],
)
def test_what_would_not_work_is_refused_and_named(admin, body, fields):
    refused(admin.put(PATH, body), 422, *fields)


def test_without_a_key_to_encrypt_with_no_secret_is_taken(backend):
    answer = backend.put(PATH, {"service": "smtp", "from": SENDER, "smtp": SMTP | {"password": PASSWORD}})
    refused(answer, 422, "smtp.password")
    assert "NOTIFY_SETTINGS_KEY" in answer.text


def test_a_stored_password_stays_until_the_server_changes(admin):
    admin.put(PATH, {"service": "smtp", "from": SENDER, "smtp": SMTP | {"password": PASSWORD}})
    kept = admin.put(PATH, {"service": "smtp", "from": SENDER | {"name": "Other"}, "smtp": SMTP})
    assert kept.json["secrets"]["smtp_password"] == "stored"
    moved = admin.put(PATH, {"service": "smtp", "from": SENDER, "smtp": SMTP | {"host": "evil.example.org"}})
    refused(moved, 422, "smtp.password")


def test_sendgrid_with_its_verification_key(admin):
    key = Signer().webhook_key
    answer = admin.put(PATH, {"service": "sendgrid", "from": SENDER, "sendgrid": {"key": "SG.x", "webhook_key": key}})
    assert (answer.status_code, answer.json["webhook_key"]) == (200, key)
    assert answer.json["secrets"]["sendgrid_key"] == "stored"
