"""Mails leave through a real SMTP server, and what is said of each is written before its connection takes another."""

from dataclasses import replace

import pytest

from notify_server.channels.mail.smtp import Limits, SmtpTransport
from notify_server.domain.email_settings import SmtpServer
from notify_server.domain.mail import Address, Service
from notify_server.domain.notification import Channel
from notify_server.domain.outcome import Kind, Outcome
from notify_server.domain.registry import Reason
from notify_server.domain.texts import Mail
from notify_server.services.mail_outlet import Post
from notify_server.services.mail_seals import Seals
from notify_server.storage.notifications import Notifications
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


def post(scene: Scene, transport, over=lambda: False) -> Post:
    return Post(transport, Seals(transport, None, Notifications(scene.database).attachments), over)


def parcels(scene: Scene, *users: str, **draft: object):
    scene.address(*users)
    notification = scene.accept(*users, channels=(Channel.EMAIL,), **draft)
    scene.expand()
    load = scene.engine.leasing.take(channel=Channel.EMAIL)
    return notification, scene.engine.mailing._sorting.sort(load, Service.SMTP, scene.clock())


def test_every_sheet_is_answered_and_written_down(scene: Scene, server, transport) -> None:
    notification, found = parcels(scene, *USERS, "rcpt-550")
    scene.engine.mailing._outlet.send(found, post(scene, transport), None)
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
    scene.engine.mailing._outlet.send(found, post(scene, transport, lambda: next(left, True)), None)
    assert found[0].unsent == [user for user in sorted(USERS) if user not in found[0].answers]
    assert len(server.mails) == len(found[0].answers) == 3
    assert sorted(mail["status"] for mail in scene.mails(notification).values()) == ["pending"] * 7 + ["sent"] * 3


def test_a_mail_that_cannot_be_written_is_rejected_and_no_server_asked(scene: Scene, server, transport) -> None:
    notification, found = parcels(scene, "a")
    [parcel] = found
    parcel.sheets[0] = replace(parcel.sheets[0], mail=Mail("x\r\nBcc: v@example.org", "b"))
    scene.engine.mailing._outlet.send(found, post(scene, transport), None)
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


def test_a_fault_of_ours_is_an_answer_like_any_other(scene: Scene, transport, monkeypatch, capsys) -> None:
    notification, found = parcels(scene, "a")
    monkeypatch.setattr(transport, "send", lambda *_: 1 / 0)
    scene.engine.mailing._outlet.send(found, post(scene, transport), None)
    assert scene.mails(notification)["a"]["reason"] == "unavailable"
    assert "ZeroDivisionError" in capsys.readouterr().out


@pytest.mark.parametrize(("refusals", "most"), [({"MAIL": "553 5.7.1 not yours"}, 4), ({}, 14)])
def test_what_all_would_be_told_is_asked_a_few_times_and_the_others_are_left(
    scene: Scene, server, transport, refusals, most
) -> None:
    """Once for each connection; ten times where it may be bad luck."""
    users = [f"v{number:02}" for number in range(40)] if refusals else [f"421.{number:02}" for number in range(40)]
    server.refusals = refusals or {"MAIL": "421 4.3.2 shutting down"}
    notification, found = parcels(scene, *users)
    scene.engine.mailing._outlet.send(found, post(scene, transport), None)
    asked = [mail for mail in scene.mails(notification).values() if mail["attempts"] or mail["reason"]]
    assert 1 <= len(asked) <= most
    assert len(found[0].unsent) == 40 - len(asked)


def test_what_is_permitted_and_not_sent_is_refunded(scene: Scene) -> None:
    outlet = scene.engine.mailing._outlet
    assert outlet.permit(5, urgent=True)
    outlet.refund(5)
    outlet.refund(0)
    assert not outlet.paused
    assert outlet.probe() is None


def test_a_probe_that_asked_nobody_lets_the_next_one_go(scene: Scene) -> None:
    outlet, governor = scene.engine.mailing._outlet, scene.engine.mail_governor
    governor.observe([Outcome(Kind.RETRY, Reason.TLS_FAILED)])
    scene.clock.forward(11)
    probe = outlet.probe()
    assert probe
    assert outlet.paused
    outlet.conclude(probe)
    assert not outlet.paused
    assert outlet.probe() not in {None, probe}
