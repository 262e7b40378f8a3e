"""Mails end to end: from the lease over a real SMTP server with TLS to registry entries and mails, whatever happens."""

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from time import sleep
from types import SimpleNamespace

import pytest

from notify_server.bootstrap import build_mail_upkeep, build_resending
from notify_server.domain.email_settings import EmailSettings, SmtpServer
from notify_server.domain.mail import Address, Security, Service, mail_id
from notify_server.domain.mail_event import Kind as Reported
from notify_server.domain.mail_event import MailEvent
from notify_server.domain.notification import Attachment, Audience, Channel, Message
from notify_server.domain.outcome import Kind, Outcome
from notify_server.domain.registry import Reason, Status
from notify_server.domain.texts import Mail, Text, Texts
from notify_server.domain.user_fields import UserField, mark
from notify_server.services.reception import Report
from notify_server.storage.blocked_addresses import BlockedAddresses
from notify_server.storage.notifications import Notifications
from tests.builders import a_notification, at_once
from tests.fcm_simulator import free_port
from tests.mail_server import PASSWORD, USERNAME, MailServer
from tests.sendgrid_server import SendgridServer
from tests.services.interruption import Interrupted, Killed, die
from tests.services.scene import LEASE, Scene

MAIL = (Channel.EMAIL,)
BOTH = (Channel.PUSH, Channel.EMAIL)
URL = "https://notify.example.org"


def smtp(server: MailServer, **changes: object) -> EmailSettings:
    """Settings that lead to `server`."""
    target = SmtpServer("localhost", server.port, Security.STARTTLS)
    return replace(EmailSettings(Service.SMTP, Address("notify@example.org", "Notify"), smtp=target), **changes)


@pytest.fixture
def server(tmp_path: Path):
    with MailServer(tmp_path) as running:
        yield running


@pytest.fixture
def post(scene: Scene, server: MailServer) -> Scene:
    """A scene whose mails go to `server`, with users a, b and c, each with an address."""
    scene.config = replace(scene.config, mail_ca_file=str(server.ca_file), mail_timeout=2.0, public_url=URL)
    scene.begin()
    scene.services.email_settings.put(smtp(server))
    scene.address("a", "b", "c")
    return scene


def test_a_notification_by_mail_is_sent_and_registered(post, server):
    notification = post.accept("a", channels=MAIL, category="booking")
    post.mail()
    [caught] = server.mails
    assert (caught.sender, caught.to) == ("notify@example.org", "a@example.org")
    assert caught.message["Subject"] == "Booking confirmed"
    assert caught.message.get_body(("plain",)).get_content().strip() == "Monday 9:00"
    assert "<p>Monday 9:00</p>" in caught.message.get_body(("html",)).get_content()
    assert post.standing(notification) == {"a": ("sent", None)}
    assert [line["detail"] for line in post.entry(notification, "a")["history"]] == [None, "mail, attempt 1: accepted"]
    mail = post.mails(notification)["a"]
    assert (mail["status"], mail["attempts"], mail["address"]) == ("sent", 1, "a@example.org")
    assert (mail["service"], mail["provider_id"]) == ("smtp", "Q1")
    assert mail["message_id"] == caught.message["Message-ID"]
    assert post.state(notification) == "done"
    assert post.batches(notification) == []


def test_each_answer_of_a_server_ends_in_its_status_and_reason(post, server):
    expected = {
        "rcpt-450": ("pending", "deferred"),
        "data-451": ("pending", "unavailable"),
        "data-452": ("pending", "quota_exceeded"),
        "421": ("pending", "unavailable"),
        "drop": ("pending", "unavailable"),
        "lost": ("pending", "connection_lost"),
        "slow": ("sent", None),
        "rcpt-550": ("failed", "bad_address"),
        "rcpt-551": ("failed", "bad_address"),
        "rcpt-553": ("failed", "mail_rejected"),
        "data-552": ("failed", "mail_rejected"),
        "data-554": ("failed", "mail_rejected"),
        "accept": ("sent", None),
        "nobody": ("pending", "no_address"),
    }
    post.address(*(user for user in expected if user != "nobody"))
    notification = post.accept(*expected, channels=MAIL)
    post.mail()
    assert post.standing(notification) == expected
    assert {user: (mail["status"], mail["reason"]) for user, mail in post.mails(notification).items()} == expected
    assert sorted(caught.to.partition("@")[0] for caught in server.mails) == ["accept", "lost", "slow"]
    details = {user: mail["detail"] for user, mail in post.mails(notification).items()}
    assert details["rcpt-550"] == "550 5.1.1"
    assert details["421"] == "421 4.7.0"


def test_what_failed_for_now_is_tried_again_and_what_is_final_is_not(post, server):
    server.broken = True
    notification = post.accept("a", "b", channels=MAIL)
    post.mail()
    assert post.standing(notification) == dict.fromkeys("ab", ("pending", "deferred"))
    assert post.state(notification) == "dispatching"
    server.broken = False
    post.clock.forward(9)
    post.mail()
    assert server.mails == []
    post.clock.forward(11)
    post.mail()
    assert post.standing(notification) == dict.fromkeys("ab", ("sent", None))
    assert server.tried == {"a@example.org": 2, "b@example.org": 2}
    assert post.mails(notification)["a"]["attempts"] == 2
    assert post.state(notification) == "done"


def test_a_mail_whose_answer_was_lost_is_sent_again_under_the_same_id_and_marked(post, server):
    server.loses = lambda number: number == 1
    notification = post.accept("a", channels=MAIL)
    post.mail()
    post.clock.forward(20)
    post.mail()
    first, second = server.mails
    assert first.message["Message-ID"] == second.message["Message-ID"]
    assert post.mails(notification)["a"]["doubtful"]
    assert post.standing(notification) == {"a": ("sent", None)}


def test_a_dead_mailbox_is_mailed_no_more_and_the_reason_is_shown(post, server):
    post.address("rcpt-550")
    post.accept("rcpt-550", channels=MAIL)
    post.mail()
    notification = post.accept("rcpt-550", channels=MAIL)
    post.mail()
    assert server.tried["rcpt-550@example.org"] == 1
    assert post.standing(notification) == {"rcpt-550": ("suppressed", "address_blocked")}
    assert post.mails(notification)["rcpt-550"]["detail"] == "bad_address 550 5.1.1"
    assert post.services.mail_log.allow("RCPT-550@example.org")
    post.accept("rcpt-550", channels=MAIL)
    post.mail()
    assert server.tried["rcpt-550@example.org"] == 2


def test_a_refusal_that_may_mean_that_we_may_not_relay_blocks_nobody(post, server):
    post.address("rcpt-551")
    for _ in range(2):
        notification = post.accept("rcpt-551", channels=MAIL)
        post.mail()
        assert post.standing(notification) == {"rcpt-551": ("failed", "bad_address")}
    assert server.tried["rcpt-551@example.org"] == 2


def test_a_disabled_service_suppresses_with_that_reason_and_nothing_is_called_sent(post, server):
    post.services.email_settings.put(smtp(server, service=Service.DISABLED))
    notification = post.accept("a", "nobody", channels=MAIL)
    post.mail(post.worker())
    assert post.standing(notification) == dict.fromkeys(("a", "nobody"), ("suppressed", "mail_disabled"))
    assert {mail["status"] for mail in post.mails(notification).values()} == {"suppressed"}
    assert server.mails == []
    assert post.state(notification) == "done"


def test_the_settings_apply_to_a_running_worker(post, server, tmp_path):
    post.accept("a", channels=MAIL)
    post.mail()
    with MailServer(tmp_path) as other:
        post.services.email_settings.put(smtp(other))
        post.engine.mailing._service._settings._kept = None  # a second later
        post.accept("b", channels=MAIL)
        post.mail()
        assert [caught.to for caught in other.mails] == ["b@example.org"]
    assert [caught.to for caught in server.mails] == ["a@example.org"]


def test_an_address_that_comes_later_is_mailed_what_waits(post, server):
    notification = post.accept("late", channels=MAIL)
    post.mail()
    assert post.standing(notification) == {"late": ("pending", "no_address")}
    assert post.state(notification) == "done"
    post.address("late")
    post.mail()
    assert post.standing(notification) == {"late": ("sent", None)}
    assert [caught.to for caught in server.mails] == ["late@example.org"]


def test_an_address_that_comes_while_it_is_missed_is_mailed_all_the_same(post, server):
    """Whatever the worker is about to do at that moment: whoever comes second sees the other."""
    for at in count():
        user = f"late{at}"
        notification = post.accept(user, channels=MAIL)
        post.expand()
        watched = Interrupted(post.database, at, lambda user=user: post.address(user))
        post.mail(post.worker(watched))
        if not watched.happened:
            break
        post.mail()
        assert post.standing(notification) == {user: ("sent", None)}
        assert len(server.to(f"{user}@example.org")) == 1
    assert at > 10


def test_what_waits_for_an_address_expires(post):
    notification = post.accept("late", channels=MAIL, ttl=60)
    post.mail()
    post.clock.forward(61)
    assert post.upkeep.expire() == 1
    post.address("late")
    post.mail()
    assert post.standing(notification) == {"late": ("expired", "ttl_over")}


def test_who_has_muted_the_category_gets_no_mail(post, server):
    post.services.unsubscribing.unsubscribe("a", "booking")
    notification = post.accept("a", "b", channels=MAIL, category="booking")
    post.mail()
    assert post.standing(notification) == {"a": ("suppressed", "muted_category"), "b": ("sent", None)}
    assert [caught.to for caught in server.mails] == ["b@example.org"]
    assert "a" not in post.mails(notification)


def test_one_click_of_a_mail_mutes_its_category_for_its_recipient(post, server):
    post.accept("a", channels=MAIL, category="booking")
    post.mail()
    [caught] = server.mails
    link = caught.message["List-Unsubscribe"].strip("<>")
    assert caught.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link.startswith(f"{URL}/v1/unsubscribe/")
    found = post.services.unsubscribing.read(link.rpartition("/")[2])
    assert found == ("a", "booking")


@pytest.mark.parametrize("draft", [{}, {"category": "booking", "mandatory": True}])
def test_what_cannot_be_muted_offers_no_way_to_unsubscribe(post, server, draft):
    post.accept("a", channels=MAIL, **draft)
    post.mail()
    assert server.mails[0].message["List-Unsubscribe"] is None


def test_attachments_and_the_address_for_answers_go_along(post, server):
    files = (Attachment("ticket.pdf", "application/pdf", b"%PDF-"), Attachment("größe.txt", "text/plain", b"12"))
    post.accept("a", channels=MAIL, reply_to="help@example.org", attachments=files)
    post.mail()
    message = server.mails[0].message
    assert message["Reply-To"] == "help@example.org"
    found = [(part.get_filename(), part.get_payload(decode=True)) for part in message.iter_attachments()]
    assert found == [("ticket.pdf", b"%PDF-"), ("größe.txt", b"12")]


def test_mail_that_waits_goes_only_to_who_has_not_read_it(post, server):
    for user in "ab":
        post.register(user)
    notification = post.accept("a", "b", "c", channels=BOTH, email_after=600)
    post.work()
    post.mail()
    assert server.mails == []
    post.services.reception.report("a", [Report(notification, Status.READ, None, "phone")])
    post.services.reception.report("b", [Report(notification, Status.RECEIVED, None, "phone")])
    post.clock.forward(601)
    post.mail()
    assert sorted(caught.to for caught in server.mails) == ["b@example.org", "c@example.org"]
    assert {user: status for user, (status, _) in post.standing(notification).items()} == {
        "a": "read",
        "b": "received",
        "c": "sent",
    }
    assert post.mails(notification).keys() == {"b", "c"}


class TestBesidePush:
    """One status for both channels: what either delivers counts, and it ends unsent only when both have."""

    def test_mail_alone_gets_through_and_push_follows_when_there_is_a_device(self, post, server):
        notification = post.accept("a", channels=BOTH)
        post.mail()
        assert post.standing(notification)["a"][0] == "sent"
        post.work()
        assert post.standing(notification) == {"a": ("sent", "no_device")}
        post.register("a")
        post.work()
        assert post.accepted() == ["a:phone"]
        assert post.standing(notification) == {"a": ("sent", None)}
        assert len(server.mails) == 1

    def test_push_gets_through_and_mail_follows(self, post, server):
        post.register("a")
        notification = post.accept("a", channels=BOTH)
        post.work()
        assert post.standing(notification) == {"a": ("sent", None)}
        post.mail()
        assert len(server.mails) == 1
        details = [line["detail"] for line in post.entry(notification, "a")["history"]]
        assert details == [None, "attempt 1: accepted for 1 of 1 devices", "mail, attempt 1: accepted"]

    @pytest.mark.parametrize("first", ["push", "mail"])
    def test_it_fails_when_both_have_failed(self, post, first):
        post.fcm.behave(prefixes={"rcpt-550:": {"unregistered": 1}})
        post.address("rcpt-550")
        post.register("rcpt-550")
        notification = post.accept("rcpt-550", channels=BOTH)
        steps = [post.work, post.mail] if first == "push" else [post.mail, post.work]
        if first == "mail":
            post.expand(post.worker())  # which dies then
            post.clock.forward(LEASE + 1)
        steps[0]()
        assert post.standing(notification)["rcpt-550"][0] == "pending"
        steps[1]()
        assert post.standing(notification) == {"rcpt-550": ("failed", "unregistered")}
        assert post.mails(notification)["rcpt-550"]["reason"] == "bad_address"

    def test_a_disabled_mail_service_says_nothing_of_push(self, post, server):
        post.services.email_settings.put(smtp(server, service=Service.DISABLED))
        post.register("a")
        notification = post.accept("a", "b", channels=BOTH)
        post.work()
        post.mail(post.worker())
        assert post.standing(notification) == {"a": ("sent", None), "b": ("pending", "no_device")}
        assert {mail["status"] for mail in post.mails(notification).values()} == {"suppressed"}


def test_a_mail_is_sent_again_by_request_alone_and_is_another_mail(post, server):
    notification = post.accept("a", "b", channels=MAIL)
    post.mail()
    post.clock.forward(3600)
    post.upkeep.resend()
    post.mail()
    assert len(server.mails) == 2
    resending = build_resending(post.database, post.clock)
    assert resending.request(notification, ["a"]) == 1
    resending.queue()
    post.mail()
    first, second = server.to("a@example.org")
    assert first.message["Message-ID"] != second.message["Message-ID"]
    assert len(server.to("b@example.org")) == 1
    assert post.standing(notification) == dict.fromkeys("ab", ("sent", None))
    details = [line["detail"] for line in post.entry(notification, "a")["history"]]
    assert details[1::2] == ["mail, attempt 1: accepted"] * 2
    assert (post.mails(notification)["a"]["attempts"], post.mails(notification)["a"]["resends"]) == (2, 1)


def test_a_mail_that_was_delivered_is_sent_again_where_its_entry_stands_at_sent(post, server):
    notification = post.accept("a", channels=(Channel.REALTIME, Channel.EMAIL))
    post.mail()
    post.services.mail_reports.take([MailEvent(mail_id(notification, "a"), Reported.DELIVERED)])
    assert post.standing(notification) == {"a": ("sent", None)}
    resending = build_resending(post.database, post.clock)
    assert resending.request(notification, ["a"]) == 1
    resending.queue()
    post.mail()
    assert len({caught.message["Message-ID"] for caught in server.to("a@example.org")}) == 2
    assert post.mails(notification)["a"]["status"] == "sent"


def test_a_resend_that_fails_leaves_it_sent(post, server):
    notification = post.accept("a", channels=MAIL)
    post.mail()
    resending = build_resending(post.database, post.clock)
    resending.request(notification, None)
    resending.queue()
    post.database["users"].update_one({"_id": "a"}, {"$set": {"email": "rcpt-550@example.org"}})
    post.mail()
    assert post.standing(notification) == {"a": ("sent", None)}
    assert post.mails(notification)["a"]["status"] == "failed"


def test_a_cancelled_notification_is_not_mailed(post, server):
    notification = post.accept("a", channels=MAIL)
    post.expand()
    post.services.cancellation.cancel(notification)
    post.mail()
    assert server.mails == []
    assert post.standing(notification) == {"a": ("cancelled", "cancelled_by_backend")}


def test_a_mail_that_waits_is_cancelled_too(post, server):
    server.broken = True
    notification = post.accept("a", channels=MAIL)
    post.mail()
    post.services.cancellation.cancel(notification)
    assert post.mails(notification)["a"]["status"] == "cancelled"
    assert post.standing(notification) == {"a": ("cancelled", "cancelled_by_backend")}


def test_a_mail_that_waits_expires_with_its_entry(post, server):
    server.broken = True
    notification = post.accept("a", channels=MAIL, ttl=60)
    post.mail()
    post.clock.forward(61)
    post.mail()
    post.upkeep.expire()
    assert build_mail_upkeep(post.database, post.clock).expire_mails() == 1
    assert post.mails(notification)["a"]["status"] == "expired"
    assert post.standing(notification) == {"a": ("expired", "ttl_over")}


class TestDeath:
    """A worker that dies at any write leaves nobody out, and mails nobody twice of whom it had written the answer."""

    def test_before_any_operation(self, post, server):
        for at in count():
            users = [f"u{at}-{number}" for number in range(5)]
            post.address(*users)
            notification = post.accept(*users, channels=MAIL)
            post.expand()
            watched = Interrupted(post.database, at, die)
            with suppress(Killed):
                post.mail(post.worker(watched))
            if not watched.happened:
                break
            post.clock.forward(LEASE + 1)
            post.mail()
            assert post.standing(notification) == dict.fromkeys(users, ("sent", None))
            twice = [user for user in users if len(server.to(f"{user}@example.org")) > 1]
            assert len(twice) <= post.config.mail_connections
            assert post.batches(notification) == []
        assert at > 10

    def test_two_workers_at_once_mail_each_recipient_once(self, post, server):
        users = [f"u{number}" for number in range(60)]
        post.address(*users)
        notifications = [post.accept(*users[start : start + 20], channels=MAIL) for start in (0, 20, 40)]
        post.expand()
        at_once(*(partial(post.mail, post.worker()) for _ in range(3)))
        assert sorted(caught.to for caught in server.mails) == sorted(f"{user}@example.org" for user in users)
        for notification in notifications:
            assert {status for status, _ in post.standing(notification).values()} == {"sent"}

    def test_who_has_stood_still_for_a_lease_sends_no_more(self, post, server, monkeypatch):
        users = [f"u{number}" for number in range(20)]
        post.address(*users)
        notification = post.accept(*users, channels=MAIL)
        post.expand()
        slow = post.worker()
        load = slow.leasing.take(channel=Channel.EMAIL)
        mark = slow.leasing.mark
        monkeypatch.setattr(slow.leasing, "mark", lambda: replace(mark(), lapses=-1))  # it lapsed right after
        slow.mailing.mail(load)
        assert server.mails == []
        post.clock.forward(LEASE + 1)
        post.mail()
        assert len(server.mails) == 20
        assert post.standing(notification) == dict.fromkeys(users, ("sent", None))


INJECTIONS = ["x\r\nBcc: victim@example.org", "x\nSubject: other", "x\r\n\r\n<script>", "x\u2028Bcc: v@example.org"]


@pytest.mark.parametrize("text", INJECTIONS)
def test_a_line_break_in_a_title_makes_no_header(post, server, text):
    """The API refuses such titles; here it comes past it, as from the command line of an older version."""
    notification = post.accept("a", channels=MAIL, message=Message(text, "body"))
    post.mail()
    assert all(caught.to == "a@example.org" for caught in server.mails)
    for caught in server.mails:
        assert caught.message["Bcc"] is None
        assert len(caught.message.get_all("Subject")) == 1
    assert post.standing(notification)["a"] in {("sent", None), ("failed", "mail_rejected")}


NO_ADDRESSES = ["a@example.org\r\nRCPT TO:<v@example.org>", "a@example.org>\nDATA", "ä@example.org"]


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_an_address_that_is_none_reaches_no_server(post, server, address):
    post.database["users"].update_one({"_id": "a"}, {"$set": {"email": address}})
    notification = post.accept("a", channels=MAIL)
    post.mail()
    assert server.mails == []
    assert server.tried == {}
    assert post.standing(notification) == {"a": ("failed", "bad_address")}


def test_markup_and_braces_in_a_message_are_text(post, server):
    post.accept("a", channels=MAIL, message=Message("{{ 7 * 7 }}", "<script>alert(1)</script> {% raw %}"))
    post.mail()
    message = server.mails[0].message
    assert message["Subject"] == "{{ 7 * 7 }}"
    html = message.get_body(("html",)).get_content()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_a_server_that_is_away_pauses_the_channel_and_a_probe_ends_the_pause(post, server):
    users = [f"u{number}" for number in range(40)]
    post.address(*users)
    away = SmtpServer("localhost", free_port(), Security.STARTTLS)
    post.services.email_settings.put(smtp(server, smtp=away))
    notification = post.accept(*users, channels=MAIL)
    for _ in range(3):
        post.mail()
        post.clock.forward(60)
    assert post.services.health.channels()[Channel.EMAIL].reason == "unavailable"
    reasons = [mail["reason"] for mail in post.mails(notification).values()]
    assert 10 <= reasons.count("unavailable") <= 40 - reasons.count(None)
    post.services.email_settings.put(smtp(server))
    for _ in range(4):
        worker = post.worker()
        worker.mail_governor.refresh()
        post.mail(worker)
        post.clock.forward(90)
    assert post.standing(notification) == dict.fromkeys(users, ("sent", None))
    assert post.services.health.channels()[Channel.EMAIL].state == "working"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"smtp": {"username": USERNAME, "password": "wrong"}}, "credential_refused"),
        ({"smtp": {"host": "127.0.0.1"}, "trust": False}, "tls_failed"),
    ],
)
def test_what_a_person_must_mend_pauses_the_channel_at_once_and_costs_no_attempt(post, tmp_path, change, reason):
    with MailServer(tmp_path, login=True) as strict:
        target = SmtpServer("localhost", strict.port, Security.STARTTLS)
        if not change.get("trust", True):
            post.config = replace(post.config, mail_ca_file="")
        post.config = replace(post.config, settings_key="k3y of the tests, which is long enough")
        post.begin()
        post.services.email_settings.put(smtp(strict, smtp=replace(target, **change["smtp"])))
        notification = post.accept("a", channels=MAIL)
        post.mail()
        assert post.standing(notification) == {"a": ("pending", reason)}
        assert post.entry(notification, "a")["attempts"] == 0
        assert post.engine.mailing.paused


def test_where_an_answer_cannot_be_written_down_nothing_more_is_sent(post, server):
    """Each mail that went out unrecorded will be sent again: no more of them than there are connections."""
    users = [f"u{number}" for number in range(60)]
    post.address(*users)
    notification = post.accept(*users, channels=MAIL)
    post.expand()
    broken = post.worker()
    post.database.command("collMod", "mails", validator={"status": "pending"}, validationLevel="strict")
    with suppress(Exception):
        post.mail(broken)
    sent = len(server.mails)
    assert 0 < sent <= post.config.mail_connections
    sleep(0.5)
    assert len(server.mails) == sent
    post.database.command("collMod", "mails", validator={}, validationLevel="off")
    post.clock.forward(LEASE + 1)
    post.mail()
    assert post.standing(notification) == dict.fromkeys(users, ("sent", None))
    assert len(server.mails) == sent + 60


CROWD = [f"u{number:03}" for number in range(120)]  # three slices
AT = 30  # mails, after which something happens


class TestSendgrid:
    """The same by the API of a service, over HTTPS."""

    @pytest.fixture
    def sendgrid(self, tmp_path):
        with SendgridServer(tmp_path) as running:
            yield running

    @pytest.fixture
    def scene(self, scene, sendgrid, server, tmp_path):
        both = tmp_path / "both.pem"
        both.write_text(sendgrid.ca_file.read_text() + server.ca_file.read_text())
        scene.config = replace(
            scene.config,
            mail_ca_file=str(both),
            mail_timeout=2.0,
            sendgrid_endpoint=sendgrid.url,
            sendgrid_key=sendgrid.key,
        )
        scene.begin()
        scene.services.email_settings.put(EmailSettings(Service.SENDGRID, Address("n@example.org")))
        return scene

    def came(self, sendgrid):
        people = [mail["personalizations"][0] for mail in sendgrid.mails]
        return [(each["to"][0]["email"].partition("@")[0], each["headers"]["Message-ID"]) for each in people]

    def test_each_answer_ends_in_its_status_and_reason(self, scene, sendgrid):
        expected = {
            "accept": ("sent", None),
            "slow": ("sent", None),
            "429": ("pending", "quota_exceeded"),
            "500": ("pending", "unavailable"),
            "503": ("pending", "unavailable"),
            "drop": ("pending", "connection_lost"),
            "400": ("failed", "bad_address"),
            "413": ("failed", "mail_rejected"),
            "nobody": ("pending", "no_address"),
        }
        scene.address(*(user for user in expected if user != "nobody"))
        notification = scene.accept(*expected, channels=MAIL)
        scene.mail()
        assert scene.standing(notification) == expected
        mails = scene.mails(notification)
        assert {user: (mail["status"], mail["reason"]) for user, mail in mails.items()} == expected
        assert mails["accept"]["provider_id"].startswith("S")
        assert sorted(user for user, _ in self.came(sendgrid)) == ["accept", "drop", "slow"]
        waiting = {user: batch for batch in scene.batches(notification) for user in batch["users"]}
        assert waiting.keys() == {"429", "500", "503", "drop"}
        assert waiting["429"]["due_at"] == scene.clock() + timedelta(seconds=7)  # Retry-After
        assert (mails["429"]["attempts"], mails["503"]["attempts"]) == (0, 1)

    def test_nobody_is_mailed_twice_but_who_may_have_been_and_under_the_same_id(self, scene, sendgrid):
        users = [*(f"u{number}" for number in range(60)), "drop", "429"]
        scene.address(*users)
        notification = scene.accept(*users, channels=MAIL)
        for _ in range(2):
            scene.mail()
            scene.clock.forward(60)
        counts = Counter(user for user, _ in self.came(sendgrid))
        assert counts == {**{user: 1 for user in users if user != "429"}, "drop": 2}
        assert len(set(self.came(sendgrid))) == len(users) - 1
        assert scene.mails(notification)["drop"]["doubtful"]
        assert {scene.standing(notification)[user] for user in users[:60]} == {("sent", None)}

    @pytest.mark.parametrize(("user", "reason"), [("401", "credential_refused"), ("403", "sender_refused")])
    def test_what_a_person_must_mend_pauses_the_channel(self, scene, sendgrid, user, reason):
        scene.address(user)
        notification = scene.accept(user, channels=MAIL)
        scene.mail()
        assert scene.standing(notification) == {user: ("pending", reason)}
        assert scene.engine.mailing.paused

    def test_a_change_of_settings_leaves_the_old_client_open_until_its_mails_have_ended(self, scene, sendgrid, server):
        """A closed one would raise; what is left goes by the new service."""
        scene.address(*CROWD)
        notification = scene.accept(*CROWD, channels=MAIL)
        scene.expand()

        def came(number):
            if number == AT:
                scene.services.email_settings.put(smtp(server))
                scene.engine.mailing._service._settings._kept = None  # a second later

        sendgrid.came = came
        scene.mail()
        assert AT <= len(sendgrid.mails) < AT + 2 * scene.config.mail_connections
        by_smtp = [caught.to.partition("@")[0] for caught in server.mails]
        assert sorted([user for user, _ in self.came(sendgrid)] + by_smtp) == CROWD
        assert set(scene.standing(notification).values()) == {("sent", None)}


class TestHalfway:
    """What happens while a batch is being mailed reaches whoever is not mailed by then; nobody is left out."""

    @pytest.fixture
    def notification(self, post):
        post.address(*CROWD)
        made = post.accept(*CROWD, channels=MAIL, category="news", ttl=3600)
        post.expand()
        return made

    @pytest.fixture
    def halfway(self, post, server):
        """Mails, and lets this happen when mail number AT has come."""

        def mail(happening, engine=None):
            def came(number):
                if number == AT:
                    happening()
                return False

            server.loses = came
            post.mail(engine)

        return mail

    def by_status(self, post, notification):
        found = {}
        for user, (status, reason) in post.standing(notification).items():
            found.setdefault((status, reason), []).append(user)
        return found

    def mailed(self, server):
        return [caught.to.partition("@")[0] for caught in server.mails]

    def test_a_cancellation(self, post, server, notification, halfway):
        halfway(lambda: post.services.cancellation.cancel(notification))
        assert AT <= len(server.mails) <= 50
        post.services.cancellation.sweep()
        found = self.by_status(post, notification)
        assert found.keys() == {("sent", None), ("cancelled", "cancelled_by_backend")}
        assert sorted(found["sent", None]) == sorted(self.mailed(server))
        assert {user: mail["status"] for user, mail in post.mails(notification).items()} == dict.fromkeys(
            found["sent", None], "sent"
        )

    def test_the_end_of_its_time(self, post, server, notification, halfway):
        halfway(lambda: post.clock.forward(3601))
        assert AT <= len(server.mails) <= 50
        post.upkeep.expire()
        found = self.by_status(post, notification)
        assert found.keys() == {("sent", None), ("expired", "ttl_over")}
        assert sorted(found["sent", None]) == sorted(self.mailed(server))
        assert post.batches(notification) == []

    def test_a_mute(self, post, server, notification, halfway):
        halfway(lambda: post.services.unsubscribing.unsubscribe(CROWD[-1], "news"))
        assert sorted(self.mailed(server)) == CROWD[:-1]
        assert post.standing(notification)[CROWD[-1]] == ("suppressed", "muted_category")

    def test_an_erasure(self, post, server, notification, halfway):
        halfway(lambda: post.services.erasing.erase(CROWD[-1]))
        assert sorted(self.mailed(server)) == CROWD[:-1]
        post.services.erasing.complete_erasures()
        assert CROWD[-1] not in post.standing(notification)
        assert CROWD[-1] not in post.mails(notification)

    def test_an_address_that_is_changed_or_blocked(self, post, server, notification, halfway):
        def change():
            post.services.people.put(CROWD[-1], {"email": "new@example.org"})
            blocked.block(f"{CROWD[-2]}@EXAMPLE.org", Reason.BOUNCED, "5.1.1", post.clock())

        blocked = BlockedAddresses(post.database)
        halfway(change)
        assert sorted(self.mailed(server)) == sorted([*CROWD[:-2], "new"])
        assert post.standing(notification)[CROWD[-2]] == ("suppressed", "address_blocked")

    def test_who_has_read_it_by_then_is_not_mailed_what_waited_for_that(self, post, server, halfway):
        post.address(*CROWD)
        notification = post.accept(*CROWD, channels=BOTH, email_after=60)
        post.work()
        post.clock.forward(61)
        halfway(lambda: post.services.reception.report(CROWD[-1], [Report(notification, Status.READ, None, "phone")]))
        assert sorted(self.mailed(server)) == CROWD[:-1]
        assert post.standing(notification)[CROWD[-1]][0] == "read"

    def test_a_stop_of_the_worker(self, post, server, notification, halfway):
        stopped = post.worker()
        halfway(stopped.mailing.stop, self._once(stopped))
        sent = len(server.mails)
        assert AT <= sent < AT + 2 * post.config.mail_connections
        assert {batch["owner"] for batch in post.batches(notification)} == {None}
        post.mail()
        assert sorted(self.mailed(server)) == CROWD
        assert self.by_status(post, notification) == {("sent", None): CROWD}
        assert post.state(notification) == "done"

    def test_a_change_of_settings(self, post, server, notification, halfway, tmp_path):
        """From then on no mail goes by the old server, and none is lost or sent twice."""
        with MailServer(tmp_path) as other:

            def change():
                post.services.email_settings.put(smtp(other))
                post.engine.mailing._service._settings._kept = None  # a second later

            halfway(change)
            assert AT <= len(server.mails) < AT + 2 * post.config.mail_connections
            assert sorted(self.mailed(server) + self.mailed(other)) == CROWD
        assert self.by_status(post, notification) == {("sent", None): CROWD}
        assert {mail["attempts"] for mail in post.mails(notification).values()} == {1}

    def test_mail_that_is_disabled(self, post, server, notification, halfway):
        def disable():
            post.services.email_settings.put(smtp(server, service=Service.DISABLED))
            post.engine.mailing._service._settings._kept = None

        halfway(disable)
        found = self.by_status(post, notification)
        assert found.keys() == {("sent", None), ("suppressed", "mail_disabled")}
        assert sorted(found["sent", None]) == sorted(self.mailed(server))
        assert len(server.mails) < AT + 2 * post.config.mail_connections

    def test_a_death_at_any_operation(self, post, server, notification):
        """As `TestDeath`, in each slice; a step of seven passes each of the operations of one slice or another."""
        users = CROWD
        for at in count(0, 7):
            server.mails.clear()
            watched = Interrupted(post.database, at, die)
            with suppress(Killed):
                post.mail(post.worker(watched))
            if not watched.happened:
                break
            post.clock.forward(LEASE + 1)
            post.mail()
            assert self.by_status(post, notification) == {("sent", None): users}
            counts = Counter(self.mailed(server))
            assert set(counts) == set(users)
            assert sum(counts.values()) - len(users) <= post.config.mail_connections
            assert post.batches(notification) == []
            notification = post.accept(*users, channels=MAIL)
            post.expand()
        assert at > 20

    def _once(self, engine):
        """The worker, whose loop ends with its first load."""
        take, loads = engine.leasing.take, iter([True])
        leasing = SimpleNamespace(
            take=lambda **which: take(**which) if next(loads, False) else [], release=engine.leasing.release
        )
        mailing = SimpleNamespace(mail=engine.mailing.mail, paused=False)
        return SimpleNamespace(expansion=engine.expansion, mailing=mailing, leasing=leasing)


def test_a_refused_login_ends_the_batch_after_one_answer_of_each_connection(post, tmp_path):
    users = [f"u{number}" for number in range(20)]
    with MailServer(tmp_path, login=True) as strict:
        post.config = replace(post.config, settings_key="k3y of the tests, which is long enough")
        post.begin()
        target = SmtpServer("localhost", strict.port, Security.STARTTLS, USERNAME, "wrong")
        post.services.email_settings.put(smtp(strict, smtp=target))
        post.address(*users)
        notification = post.accept(*users, channels=MAIL)
        post.mail()
        assert strict.logins == strict.sessions <= post.config.mail_connections
        found = set(post.standing(notification).values())
        assert found == {("pending", None), ("pending", "credential_refused")}
        assert {user for batch in post.batches(notification) for user in batch["users"]} == set(users)
        post.services.email_settings.put(smtp(strict, smtp=replace(target, password=PASSWORD)))
        for _ in range(3):
            post.clock.forward(90)
            worker = post.worker()
            worker.mail_governor.refresh()
            post.mail(worker)
        assert post.standing(notification) == dict.fromkeys(users, ("sent", None))
        assert sorted(caught.to for caught in strict.mails) == sorted(f"{user}@example.org" for user in users)


def test_a_probe_of_whom_nobody_is_to_be_mailed_lets_the_next_one_go(post, server):
    post.engine.mail_governor.observe([Outcome(Kind.RETRY, Reason.TLS_FAILED)])
    post.accept("nobody", channels=MAIL)
    notification = post.accept("a", channels=MAIL)
    post.clock.forward(11)
    post.mail()
    assert post.standing(notification) == {"a": ("sent", None)}
    assert not post.engine.mailing.paused


def test_a_notification_by_socket_and_mail_stays_in_the_inbox_where_there_is_no_mail(post, server):
    post.services.email_settings.put(smtp(server, service=Service.DISABLED))
    notification = post.accept("a", channels=(Channel.REALTIME, Channel.EMAIL))
    post.mail(post.worker())
    assert post.standing(notification)["a"][0] in {"pending", "sent"}
    assert post.mails(notification)["a"]["reason"] == "mail_disabled"
    post.services.reception.report("a", [Report(notification, Status.READ, None, "phone")])
    assert post.standing(notification)["a"][0] == "read"


def test_a_cancellation_does_not_call_off_what_fcm_has_in_hand(post, server):
    """The mail of a cancelled notification ends while its push is in somebody's hand."""
    post.register("a")
    notification = post.accept("a", channels=BOTH)
    [load] = list(post.loads())
    post.services.cancellation.cancel(notification)
    mails = post.engine.leasing.take(channel=Channel.EMAIL)
    if mails:
        post.engine.mailing.mail(mails)
    assert post.standing(notification) == {"a": ("pending", None)}
    post.engine.leasing.release(load)
    post.services.cancellation.sweep()
    assert post.standing(notification)["a"][0] == "cancelled"


def test_what_is_kept_of_a_mail_outlives_the_time_in_which_it_may_be_sent(post):
    post.config = replace(post.config, mail_days=1)
    post.begin()
    notification = post.accept("a", channels=MAIL, ttl=10 * 86_400)
    post.mail()
    [mail] = post.mails(notification).values()
    assert (mail["ends_at"] - post.clock()).days == 11
    assert post.database["mail_contents"].find_one({"_id": mail["content"]})["ends_at"] == mail["ends_at"]


def test_the_mail_registry_has_the_message_id_that_was_sent_also_of_a_domain_of_another_script(post, server):
    settings = replace(smtp(server), sender=Address("n@schüle.example", "Schüle"))
    post.services.email_settings.put(settings)
    notification = post.accept("a", channels=MAIL)
    post.mail(post.worker())
    [caught] = server.mails
    assert caught.sender == "n@xn--schle-mva.example"
    assert post.mails(notification)["a"]["message_id"] == caught.message["Message-ID"]


def test_a_mail_with_fields_of_its_reader_is_stored_once_and_read_by_each_as_theirs(post, server):
    field = mark(UserField.ID)
    texts = Texts("t", 1, "en", {"en": Text("T")}, frozenset({UserField.ID}))
    mails = {"en": Mail(f"To {field}", f"Hello {field}", f"<p>{field}</p>")}
    made = a_notification(audience=Audience(("a", "b&")), texts=texts, mails=mails, channels=MAIL)
    Notifications(post.database).add(made, None)
    post.address("b&")
    post.mail()
    assert post.database["mail_contents"].count_documents({}) == 1
    for caught, user, html in zip(
        sorted(server.mails, key=lambda each: each.to), ("a", "b&"), ("a", "b&amp;"), strict=True
    ):
        assert caught.message["Subject"] == f"To {user}"
        assert caught.message.get_body(("html",)).get_content().strip() == f"<p>{html}</p>"
        line = post.mails(made.id)[user]
        assert line["subject"] == f"To {user}"
        assert post.services.mail_log.get(line["_id"]).message == Mail(f"To {user}", f"Hello {user}", f"<p>{html}</p>")
