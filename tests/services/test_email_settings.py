from dataclasses import replace

import pytest

from notify_server.domain.email_settings import EmailSettings, SmtpServer
from notify_server.domain.mail import Address, Security, Service
from notify_server.errors import Conflict, CredentialError, InvalidInput
from notify_server.services.email_settings import EmailSettingsStore, Environment
from notify_server.services.sealing import Seal
from notify_server.storage.settings import Settings
from tests.builders import NOON
from tests.services.interruption import Interrupted

SENDER = Address("n@example.org", "Notify")
SERVER = SmtpServer("mail.example.org", 587, Security.STARTTLS, "notify", "secret")
BY_SMTP = EmailSettings(Service.SMTP, SENDER, smtp=SERVER)
SEAL = Seal("a key that is long enough for this")


def store(database, environment=None, seal=SEAL, ticks=lambda: 0.0):
    return EmailSettingsStore(Settings(database), seal, environment or Environment(), lambda: NOON, ticks)


def test_a_worker_gets_secrets_and_everybody_else_learns_only_where_they_are(database):
    settings = store(database)
    shown = settings.put(BY_SMTP)
    assert settings.current() == replace(BY_SMTP, version=1)
    assert shown.settings == replace(BY_SMTP, smtp=replace(SERVER, password=None), version=1)
    assert shown.secrets == {"smtp_password": "stored", "sendgrid_key": None}
    assert shown.updated_at == NOON


def test_what_is_set_elsewhere_is_noticed_within_a_second(database):
    now = [0.0]
    worker, api = store(database, ticks=lambda: now[0]), store(database)
    assert worker.current().service is Service.DISABLED
    api.put(BY_SMTP)
    now[0] = 0.9
    assert worker.current().service is Service.DISABLED
    now[0] = 1.0
    assert worker.current().service is Service.SMTP


def test_a_stored_password_is_for_its_server_alone(database):
    settings = store(database)
    settings.put(BY_SMTP)
    same = replace(BY_SMTP, reply_to="r@example.org", smtp=replace(SERVER, password=None))
    settings.put(same)
    assert settings.current().smtp == SERVER
    for change in ({"host": "evil.example.org"}, {"port": 25}, {"username": "other"}, {"security": Security.NONE}):
        with pytest.raises(InvalidInput, match=r"smtp\.password"):
            settings.put(replace(BY_SMTP, smtp=replace(SERVER, password=None, **change)))
    settings.put(replace(BY_SMTP, service=Service.DISABLED, smtp=None))
    with pytest.raises(InvalidInput, match=r"smtp\.password"):
        settings.put(same)


def test_the_password_of_the_environment_is_for_its_host_alone(database):
    settings = store(database, Environment("mail.example.org", "from outside"), Seal(""))
    settings.put(replace(BY_SMTP, smtp=replace(SERVER, password=None)))
    assert settings.current().smtp.password == "from outside"
    assert settings.show().secrets["smtp_password"] == "environment"
    with pytest.raises(InvalidInput, match=r"smtp\.password"):
        settings.put(replace(BY_SMTP, smtp=replace(SERVER, password=None, host="evil.example.org")))


def test_a_key_of_sendgrid_by_either_way(database):
    by_sendgrid = EmailSettings(Service.SENDGRID, SENDER, sendgrid_key="SG.x")
    settings = store(database)
    settings.put(by_sendgrid)
    assert settings.current().sendgrid_key == "SG.x"
    settings.put(replace(by_sendgrid, sendgrid_key=None))
    assert settings.current().sendgrid_key == "SG.x"
    database["settings"].delete_many({})
    outside = store(database, Environment(sendgrid_key="SG.outside"), Seal(""))
    outside.put(replace(by_sendgrid, sendgrid_key=None))
    assert outside.current().sendgrid_key == "SG.outside"


def test_a_secret_that_cannot_be_read_is_said_so(database):
    store(database).put(BY_SMTP)
    with pytest.raises(CredentialError, match="NOTIFY_SETTINGS_KEY"):
        store(database, seal=Seal("another key, as long as the other")).current()
    database["settings"].update_one({}, {"$set": {"smtp_password": None}})
    with pytest.raises(CredentialError, match="not there"):
        store(database).current()


def test_two_who_change_at_once_do_not_overwrite_each_other(database):
    other = store(database)
    watched = Interrupted(database, 1, lambda: other.put(replace(BY_SMTP, reply_to="other@example.org")))
    with pytest.raises(Conflict):
        store(watched).put(BY_SMTP)
    assert other.current().reply_to == "other@example.org"


def test_what_holds_while_nothing_is_set_comes_from_the_environment(database):
    fallback = EmailSettings(Service.SMTP, SENDER, smtp=SmtpServer("127.0.0.1", 8025, Security.NONE))
    settings = store(database, Environment(fallback=fallback))
    assert settings.current() == settings.show().settings == fallback
