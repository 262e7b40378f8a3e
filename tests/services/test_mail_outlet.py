"""Mails leave through a real SMTP server, and what is said of each is written before its connection takes another."""

from dataclasses import replace

import pytest

from notify_server.channels.mail.smtp import Limits, SmtpTransport
from notify_server.domain.email_settings import SmtpServer
from notify_server.domain.mail import Address, Service
from notify_server.domain.notification import Channel
from notify_server.domain.registry import Reason
from notify_server.domain.texts import Mail
from notify_server.services.mail_outlet import Post
from tests.mail_server import MailServer
from tests.services.scene import Scene

USERS = [f"u{number}" for number in range(10)]


@pytest.fixture
def server(tmp_path):
    with MailServer(tmp_path) as running:
        yield running


@pytest.fixture
def transport(server, clock):
    made = SmtpTransport(
        SmtpServer("localhost", server.port), Address("n@example.org"), Limits(2.0, str(server.ca_file)), clock
    )
    yield made
    made.close()


def parcels(scene: Scene, *users: str, **draft: object):
    scene.address(*users)
    notification = scene.accept(*users, channels=(Channel.EMAIL,), **draft)
    scene.expand()
    load = scene.engine.leasing.take(channel=Channel.EMAIL)
    return notification, scene.engine.mailing._sorting.sort(load, Service.SMTP, scene.clock())


def test_every_sheet_is_answered_and_written_down(scene: Scene, server, transport) -> None:
    notification, found = parcels(scene, *USERS, "rcpt-550")
    scene.engine.mailing._outlet.send(found, Post(transport, "n@example.org", None, lambda: False), None)
    [parcel] = found
    assert {user: answer.outcome.reason for user, answer in parcel.answers.items()} == {
        **dict.fromkeys(USERS),
        "rcpt-550": Reason.BAD_ADDRESS,
    }
    mails = scene.mails(notification)
    assert {user: mail["status"] for user, mail in mails.items()} == {
        **dict.fromkeys(USERS, "sent"),
        "rcpt-550": "failed",
    }
    assert {mail["message_id"] for mail in mails.values()} == {
        f"<{mail['_id']}@example.org>" for mail in mails.values()
    }
    assert server.sessions <= scene.config.mail_connections


def test_once_leases_may_be_lost_nothing_more_is_sent(scene: Scene, server, transport) -> None:
    notification, found = parcels(scene, *USERS)
    left = iter([False] * 3)
    post = Post(transport, "n@example.org", None, lambda: next(left, True))
    scene.engine.mailing._outlet.send(found, post, None)
    assert len(server.mails) == len(found[0].answers) == 3
    assert sorted(mail["status"] for mail in scene.mails(notification).values()) == ["pending"] * 7 + ["sent"] * 3


def test_a_mail_that_cannot_be_written_is_rejected_and_no_server_asked(scene: Scene, server, transport) -> None:
    notification, found = parcels(scene, "a")
    [parcel] = found
    parcel.sheets[0] = replace(parcel.sheets[0], mail=Mail("x\r\nBcc: v@example.org", "b"))
    scene.engine.mailing._outlet.send(found, Post(transport, "n@example.org", None, lambda: False), None)
    assert scene.mails(notification)["a"]["reason"] == "mail_rejected"
    assert server.sessions == 0


def test_answers_that_nobody_was_asked_for_are_written_too(scene: Scene) -> None:
    notification = scene.accept("nobody", channels=(Channel.EMAIL,))
    scene.expand()
    load = scene.engine.leasing.take(channel=Channel.EMAIL)
    found = scene.engine.mailing._sorting.sort(load, Service.SMTP, scene.clock())
    scene.engine.mailing._outlet.record(found, scene.clock())
    mail = scene.mails(notification)["nobody"]
    assert (mail["status"], mail["reason"], mail["attempts"]) == ("pending", "no_address", 0)


def test_where_nothing_is_to_be_sent_no_permit_is_needed(scene: Scene) -> None:
    outlet = scene.engine.mailing._outlet
    assert outlet.permit([], None)
    assert not outlet.paused
    assert outlet.probe() is None
