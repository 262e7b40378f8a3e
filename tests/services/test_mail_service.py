from dataclasses import replace

import pytest

from notify_server.domain.email_settings import EmailSettings
from notify_server.domain.mail import Address, Service
from notify_server.errors import CredentialError
from notify_server.services.email_settings import EmailSettingsStore, Environment
from notify_server.services.mail_service import MailService
from notify_server.services.sealing import Seal
from notify_server.storage.settings import Settings
from tests.builders import NOON

BY_SENDGRID = EmailSettings(Service.SENDGRID, Address("n@example.org"), sendgrid_key="SG.x")


class Opened:
    """What a transport is to this module: something that was opened by settings, and is closed once."""

    def __init__(self, settings):
        self.settings = settings
        self.closed = 0

    def close(self):
        self.closed += 1


@pytest.fixture
def settings(database):
    seal = Seal("a key that is long enough for this")
    return EmailSettingsStore(Settings(database), seal, Environment(), lambda: NOON)


def test_a_transport_is_opened_once_and_anew_when_the_settings_change(settings):
    opened = []

    def open_one(found):
        opened.append(Opened(found))
        return opened[-1]

    service = MailService(settings, open_one)
    settings.put(BY_SENDGRID)
    assert service.transport() is service.transport()
    assert service.settings().service is Service.SENDGRID
    settings.put(replace(BY_SENDGRID, reply_to="r@example.org"))
    assert service.transport() is opened[1]
    assert [each.closed for each in opened] == [1, 0]
    service.close()
    service.close()
    assert [each.closed for each in opened] == [1, 1]


def test_nothing_is_opened_while_mail_is_disabled(settings):
    assert MailService(settings, lambda _: None).transport() is None


def test_a_secret_that_cannot_be_read_is_told_and_logged(settings, database, capsys):
    settings.put(BY_SENDGRID)
    other = EmailSettingsStore(Settings(database), Seal(""), Environment(), lambda: NOON)
    with pytest.raises(CredentialError):
        MailService(other, lambda _: None).transport()
    assert "mail_credential_unreadable" in capsys.readouterr().out
