"""A transport is opened when settings ask for it, and closed when nobody uses it any more."""

from dataclasses import replace

import pytest

from notify_server.domain.email_settings import EmailSettings
from notify_server.domain.mail import Address, Service
from notify_server.domain.registry import Reason
from notify_server.services.email_settings import EmailSettingsStore, Environment
from notify_server.services.mail_service import MailService
from notify_server.services.sealing import Seal
from notify_server.storage.settings import Settings
from tests.builders import NOON

BY_SENDGRID = EmailSettings(Service.SENDGRID, Address("n@example.org"), sendgrid_key="SG.x")
OTHERWISE = replace(BY_SENDGRID, reply_to="r@example.org")
SEAL = Seal("a key that is long enough for this")


class Transport:
    """What a transport is to this module: something that was opened by settings, and is closed once."""

    def __init__(self, settings):
        self.settings = settings
        self.closed = 0

    def close(self):
        self.closed += 1


@pytest.fixture
def settings(database):
    return EmailSettingsStore(Settings(database), SEAL, Environment(), lambda: NOON)


@pytest.fixture
def opened():
    return []


@pytest.fixture
def service(settings, opened):
    def open_one(found):
        opened.append(Transport(found))
        return opened[-1]

    return MailService(settings, open_one)


def closed(opened):
    return [each.closed for each in opened]


def test_a_transport_is_opened_once_and_anew_when_the_settings_change(settings, service, opened):
    settings.put(BY_SENDGRID)
    for _ in range(2):
        with service.use() as found:
            assert found.transport is opened[0]
            assert found.settings.service is Service.SENDGRID
    settings.put(OTHERWISE)
    with service.use() as found:
        assert found.transport is opened[1]
    assert closed(opened) == [1, 0]
    for _ in range(2):
        service.close()
    assert closed(opened) == [1, 1]


def test_what_is_in_use_is_closed_by_the_last_who_uses_it(settings, service, opened):
    settings.put(BY_SENDGRID)
    with service.use() as first:
        with service.use() as second:
            settings.put(OTHERWISE)
            assert not service.is_current(first)
            with service.use() as third:
                assert service.is_current(third)
                assert closed(opened) == [0, 0]
            assert second is first
        assert closed(opened) == [0, 0]
    assert closed(opened) == [1, 0]


def test_what_is_closed_while_it_is_in_use_is_closed_afterwards(settings, service, opened):
    settings.put(BY_SENDGRID)
    with service.use():
        service.close()
        assert closed(opened) == [0]
    assert closed(opened) == [1]


def test_nothing_is_opened_while_mail_is_disabled(settings):
    with MailService(settings, lambda _: None).use() as found:
        assert (found.transport, found.refusal) == (None, None)


def test_a_secret_that_cannot_be_read_is_an_answer_to_every_mail_and_logged(settings, database, opened, capsys):
    settings.put(BY_SENDGRID)
    other = MailService(EmailSettingsStore(Settings(database), Seal(""), Environment(), lambda: NOON), opened.append)
    with other.use() as found:
        assert found.transport is None
        assert found.refusal.outcome.reason is Reason.CREDENTIAL_REFUSED
        assert other.is_current(found)
    assert opened == []
    assert "mail_credential_unreadable" in capsys.readouterr().out


def test_a_secret_that_cannot_be_read_any_more_ends_the_use_of_what_it_opened(settings, service, database):
    settings.put(BY_SENDGRID)
    with service.use() as found:
        service._settings = EmailSettingsStore(Settings(database), Seal(""), Environment(), lambda: NOON)
        assert not service.is_current(found)


def test_a_sender_that_no_mail_can_name_is_an_answer_to_every_mail(settings, capsys):
    def refuse(_):
        raise ValueError

    with MailService(settings, refuse).use() as found:
        assert found.refusal.outcome.reason is Reason.SENDER_REFUSED
    assert "mail_sender_refused" in capsys.readouterr().out
