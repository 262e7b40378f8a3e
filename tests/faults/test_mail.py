"""kill -9 of a worker that mails, at every step: nobody is left out, and what was written down is not sent again."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from time import sleep

import pytest

from notify_server import failpoints
from notify_server.bootstrap import build_email_settings
from notify_server.config import Config
from notify_server.domain.email_settings import EmailSettings, SmtpServer
from notify_server.domain.mail import Address, Service
from notify_server.domain.notification import Channel
from tests.faults.scene import Scene
from tests.mail_server import Caught, MailServer
from tests.sendgrid_server import SendgridServer
from tests.service import Process, until

PEOPLE = 120
IN_DOUBT = Config.mail_connections  # mails between DATA and the written answer
MAIL = (Channel.EMAIL,)
STEPS = {  # duplicates that a death there may cost
    "mailing.entered": 0,
    "mailing.mail:40": IN_DOUBT,
    "mailing.answered:40": IN_DOUBT,
    "mailing.recorded:40": IN_DOUBT,
    "mailing.sent": 0,
    "mailing.entries": 0,
    "mailing.batches": 0,
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MailServer]:
    with MailServer(tmp_path) as running:
        yield running


@pytest.fixture
def sendgrid(tmp_path: Path) -> Iterator[SendgridServer]:
    with SendgridServer(tmp_path) as running:
        yield running


@pytest.fixture
def addressed(scene: Scene, people: list[str], server: MailServer) -> Iterator[list[str]]:
    """Some people with addresses, whose mails go to `server`."""
    some = people[:PEOPLE]
    set_address = [{"$set": {"email": {"$concat": ["$_id", "@example.org"]}}}]
    scene.database.users.update_many({"_id": {"$in": some}}, set_address)
    target = SmtpServer("localhost", server.port)
    scene.services.email_settings.put(EmailSettings(Service.SMTP, Address("n@example.org"), smtp=target))
    yield some
    scene.database.users.update_many({"_id": {"$in": some}}, {"$set": {"email": None}})


def mailer(scene: Scene, server: MailServer, failpoint: str = "") -> Process:
    return scene.service.start("worker", failpoint=failpoint, mail_ca_file=str(server.ca_file))


def caught_by(*servers: MailServer | SendgridServer) -> list[tuple[str, str]]:
    """To whom mails came, and under which Message-ID."""
    found = []
    for server in servers:
        for mail in server.mails:
            if isinstance(mail, Caught):
                found.append((mail.to, mail.message["Message-ID"]))
            else:
                [person] = mail["personalizations"]
                found.append((person["to"][0]["email"], person["headers"]["Message-ID"]))
    return found


def judge(
    scene: Scene,
    servers: Sequence[MailServer | SendgridServer],
    notification: str,
    users: list[str],
    *,
    fault: str,
    window: int,
) -> None:
    """Everybody was mailed, entries and mails say so, and no more was sent twice than was in doubt."""
    evidence = scene.evidence(notification)
    assert not scene.service.failures()
    assert sorted(evidence.having("sent")) == users
    mails = caught_by(*servers)
    assert sorted({to for to, _ in mails}) == [f"{user}@example.org" for user in users]
    assert scene.database.mails.count_documents({"status": "sent"}) == len(users)
    assert len(mails) - len(users) <= window, fault
    assert len(set(mails)) == len(users)  # who got it twice got it under one id
    assert evidence.batches == []


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_that_dies_there_is_followed_by_another(scene, server, addressed, step):
    notification = scene.accept(users=addressed, channels=MAIL)
    victim = mailer(scene, server, step)
    until(lambda: not victim.alive, f"death at {step}")
    scene.service.start("scheduler")
    mailer(scene, server)
    scene.await_done(notification)
    judge(scene, [server], notification, addressed, fault=step, window=STEPS[step])


@pytest.mark.parametrize("step", STEPS)
def test_by_sendgrid_as_well(scene, sendgrid, addressed, step):
    settings = {"mail_ca_file": str(sendgrid.ca_file), "sendgrid_endpoint": sendgrid.url, "sendgrid_key": sendgrid.key}
    known = build_email_settings(replace(scene.service.config, **settings), scene.database)
    known.put(EmailSettings(Service.SENDGRID, Address("n@example.org")))
    notification = scene.accept(users=addressed, channels=MAIL)
    victim = scene.service.start("worker", failpoint=step, **settings)
    until(lambda: not victim.alive, f"death at {step}")
    scene.service.start("scheduler")
    scene.service.start("worker", **settings)
    scene.await_done(notification)
    judge(scene, [sendgrid], notification, addressed, fault=step, window=STEPS[step])


def test_every_step_of_mailing_has_its_death_here():
    assert sorted(step.partition(":")[0] for step in STEPS) == sorted(s for s in failpoints.STEPS if s[:7] == "mailing")


def test_an_address_stored_by_a_process_that_died_then_is_mailed_when_it_is_stored_again(scene, server, addressed):
    """The web process dies before it has queued what waits; the backend got no answer, and asks again."""
    notification = scene.accept(users=[addressed[0]], channels=MAIL)
    scene.database.users.update_one({"_id": addressed[0]}, {"$set": {"email": None}})
    mailer(scene, server)
    until(lambda: scene.count(notification, reason="no_address") == 1, "it waits for an address")
    scene.database.users.update_one({"_id": addressed[0]}, {"$set": {"email": f"{addressed[0]}@example.org"}})
    assert not server.mails
    scene.services.people.put(addressed[0], {"email": f"{addressed[0]}@example.org"})
    until(lambda: scene.count(notification, status="sent") == 1, "it is mailed")
    assert len(server.mails) == 1


def test_workers_that_are_killed_again_and_again_leave_nobody_out(scene, server, addressed):
    server.delay = 0.02
    notification = scene.accept(users=addressed, channels=MAIL)
    scene.service.start("scheduler")
    for kills in range(1, 4):
        victim = mailer(scene, server)
        seen = len(server.mails)
        until(lambda seen=seen: len(server.mails) >= seen + 15, f"mails before kill {kills}")
        victim.kill()
    mailer(scene, server)
    scene.await_done(notification)
    judge(scene, [server], notification, addressed, fault="kill -9", window=3 * IN_DOUBT)


def test_a_worker_that_stands_still_for_longer_than_its_lease_does_not_mail_what_another_has_taken_over(
    scene, server, addressed
):
    server.delay = 0.02
    notification = scene.accept(users=addressed, channels=MAIL)
    slow = mailer(scene, server)
    until(lambda: len(server.mails) >= 20, "some mails")
    slow.pause()
    mailer(scene, server)
    scene.await_done(notification)
    slow.resume()
    other = scene.accept(users=addressed[:1], channels=MAIL)
    scene.await_done(other)
    assert slow.stop() == 0
    first = [caught for caught in server.mails if notification in caught.message["Message-ID"]]
    counts = Counter(caught.to for caught in first)
    assert sum(counts.values()) - len(counts) <= IN_DOUBT


def test_a_mail_server_that_comes_and_goes_loses_nobody(scene, server, addressed):
    server.broken = True
    notification = scene.accept(users=addressed, channels=MAIL)
    mailer(scene, server)
    until(lambda: scene.count(notification, reason="deferred") == PEOPLE, "all are put off")
    assert scene.count(notification, status="pending") == PEOPLE
    server.broken = False
    now = scene.notification(notification)["created_at"]
    scene.database.batches.update_many({"_id.c": "email"}, {"$set": {"due_at": now}})
    scene.await_done(notification)
    judge(scene, [server], notification, addressed, fault="451 for everybody", window=0)


def test_a_worker_that_is_told_to_stop_ends_the_mails_on_their_way_and_gives_back_the_others(scene, server, addressed):
    server.delay = 0.05
    notification = scene.accept(users=addressed, channels=MAIL)
    first = mailer(scene, server)
    until(lambda: len(server.mails) >= 20, "some mails")
    before = len(server.mails)
    assert first.stop() == 0
    assert len(server.mails) - before <= 3 * IN_DOUBT
    assert scene.database.batches.count_documents({"owner": {"$ne": None}}) == 0
    mailer(scene, server)
    scene.await_done(notification)
    judge(scene, [server], notification, addressed, fault="SIGTERM", window=0)


def test_a_worker_that_is_told_to_stop_does_not_wait_for_a_server_that_takes_its_time(scene, server, addressed):
    server.delay = 15.0
    notification = scene.accept(users=addressed[:1], channels=MAIL)
    worker = scene.service.start("worker", mail_ca_file=str(server.ca_file), mail_timeout=0.5)
    until(lambda: server.tried, "a mail is on its way")
    assert worker.stop() == 0
    assert scene.count(notification, status="pending", reason="connection_lost") == 1
    assert scene.database.batches.count_documents({"owner": {"$ne": None}}) == 0


@pytest.mark.parametrize("killed", [False, True])
def test_settings_that_change_while_two_workers_mail_lead_everybody_to_the_other_server(
    scene, server, addressed, tmp_path, killed
):
    """Within a second nothing goes by the old one any more; one of the workers may die in that second."""
    with MailServer(tmp_path) as other:
        server.delay = 0.1
        notifications = [scene.accept(users=addressed[part::2], channels=MAIL) for part in (0, 1)]
        scene.service.start("scheduler")
        victim, _ = mailer(scene, server), mailer(scene, server)
        until(lambda: len(server.mails) >= 20, "some mails")
        target = SmtpServer("localhost", other.port)
        scene.services.email_settings.put(EmailSettings(Service.SMTP, Address("n@example.org"), smtp=target))
        if killed:
            victim.kill()
        sleep(1.5)  # what settings may be old, and the mails that were on their way
        by_the_old = len(server.mails)
        scene.await_done(*notifications)
        assert len(server.mails) == by_the_old < PEOPLE
        mails = caught_by(server, other)
        assert {to for to, _ in mails} == {f"{user}@example.org" for user in addressed}
        assert len(mails) - PEOPLE <= (IN_DOUBT if killed else 0)
        assert len(set(mails)) == PEOPLE
        assert scene.database.mails.count_documents({"status": "sent"}) == PEOPLE


def test_two_workers_of_which_one_is_killed_again_and_again_mail_everybody(scene, server, addressed):
    server.delay = 0.03
    notifications = [scene.accept(users=addressed[part::3], channels=MAIL) for part in range(3)]
    scene.service.start("scheduler")
    mailer(scene, server)
    for kills in range(1, 3):
        victim = mailer(scene, server)
        seen = len(server.mails)
        until(lambda seen=seen: len(server.mails) >= seen + 10, f"mails before kill {kills}")
        victim.kill()
    scene.await_done(*notifications)
    mails = caught_by(server)
    assert {to for to, _ in mails} == {f"{user}@example.org" for user in addressed}
    assert len(mails) - PEOPLE <= 2 * IN_DOUBT
    assert len(set(mails)) == PEOPLE


def test_a_mail_to_one_waits_for_no_batch_of_a_broadcast(scene, server, addressed, people):
    """Every batch of it has 500 recipients; who waits for a link to log in cannot wait for two of them."""
    one, server.delay = people[-1], 0.02
    set_address = [{"$set": {"email": {"$concat": ["$_id", "@example.org"]}}}]
    scene.database.users.update_many({"_id": {"$in": [*people[:2000], one]}}, set_address)
    try:
        broadcast = scene.accept(groups=["crowd"], channels=MAIL)
        mailer(scene, server)
        until(lambda: len(server.mails) >= 20, "some mails")
        before = len(server.mails)
        scene.accept(users=[one], channels=MAIL)
        until(lambda: server.to(f"{one}@example.org"), "the mail to one")
        assert len(server.mails) - before < 300
        scene.services.cancellation.cancel(broadcast)
    finally:
        scene.database.users.update_many({}, {"$set": {"email": None}})
