from datetime import timedelta

from notify_server.domain.email_settings import EmailSettings, SmtpServer
from notify_server.domain.mail import Address, Security, Service
from notify_server.domain.notification import Channel
from notify_server.domain.registry import Reason
from notify_server.storage.batches import Batches
from notify_server.storage.paces import Paces
from notify_server.storage.workers import Workers
from tests.builders import a_batch
from tests.console.conftest import now
from tests.console.visitor import said


def test_all_is_well_or_nothing_runs(admin, database):
    text = said(admin.get("/health"))
    assert "No worker is running: nothing is sent." in text
    assert "Age of the queue 0 ms" in text
    Workers(database).report("w1", now(), now() + timedelta(hours=1), sending=True)
    Workers(database).report("w2", now(), now() + timedelta(hours=1), sending=False)
    text = said(admin.get("/health"))
    assert "Workers 2 1 sending now" in text
    assert "No worker" not in text


def test_a_queue_that_is_behind_is_told(admin, database):
    Workers(database).report("w1", now(), now() + timedelta(hours=1), sending=True)
    Batches(database).add(a_batch(due_at=now() - timedelta(minutes=3)))
    assert "The queue is behind: what waits longest has been due for 3 min" in said(admin.get("/health"))


def test_a_pause_is_told_with_its_reason_and_what_to_do(admin, database):
    Paces(database).change(Channel.PUSH, lambda pace: pace.broken(Reason.CREDENTIAL_REFUSED, now()))
    text = said(admin.get("/health"))
    assert "Push is paused: FCM refuses our credential" in text
    assert "Act now: nothing goes out." in text
    assert "Nothing is lost: recipients wait." in text
    assert "0 messages a second" in text


def test_a_pause_of_mail_is_told_in_its_own_words(admin, database):
    Paces(database).change(Channel.EMAIL, lambda pace: pace.broken(Reason.TLS_FAILED, now()))
    text = said(admin.get("/health"))
    assert "Mail is paused: no encrypted connection to the mail service" in text
    assert "Act now: no mail goes out." in text


def test_the_mail_service_is_told_and_that_there_is_none(admin, services):
    text = said(admin.get("/health"))
    assert "E-mail disabled No mail service is set" in text
    smtp = SmtpServer("mail.school.example", 587, Security.STARTTLS, None)
    services.email_settings.put(EmailSettings(Service.SMTP, Address("office@school.example"), smtp=smtp))
    text = said(admin.get("/health"))
    assert "Service SMTP, mail.school.example:587 Sender office@school.example" in text
    assert "1,000 mails a second" in text


def test_a_throttle_of_mail_is_told_as_that_of_the_mail_service(admin, services, database):
    services.email_settings.put(
        EmailSettings(Service.SMTP, Address("a@b.example"), smtp=SmtpServer("h", 25, Security.NONE))
    )
    Paces(database).change(Channel.EMAIL, lambda pace: pace.throttled(now()))
    assert "of the full rate: the mail service refused for the quota" in said(admin.get("/health"))


def test_a_throttle_is_told(admin, database):
    Paces(database).change(Channel.PUSH, lambda pace: pace.throttled(now()))
    text = said(admin.get("/health"))
    assert "throttled" in text
    assert "of the full rate: FCM refused for the quota" in text
