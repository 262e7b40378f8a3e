from dataclasses import replace

import pytest

from notify_server.domain.mail import MailRecord, mail_id
from notify_server.domain.registry import Event, Reason, Status
from notify_server.domain.texts import Mail
from notify_server.storage.documents import new_id
from notify_server.storage.mails import Mails, Recorded, content_id
from tests.builders import NOON, after

N = new_id(NOON)


def a_mail(user="a", notification=N, **fields):
    record = MailRecord(
        id=mail_id(notification, user),
        notification=notification,
        user=user,
        status=Status.PENDING,
        created_at=NOON,
        expires_at=after(60),
        ends_at=after(3600),
    )
    return replace(record, **fields)


@pytest.fixture
def mails(database):
    return Mails(database)


def recorded(user="a", status=Status.SENT, **changes):
    return Recorded(mail_id(N, user), status, after(1), 1, {"reason": None, **changes})


def test_a_mail_is_entered_once_and_read_as_it_was_written(mails):
    first = a_mail(address="a@example.org", category="booking", subject="s", locale="de")
    mails.enter([first, a_mail("b")])
    mails.enter([a_mail(address="other@example.org")])
    found = {record.user: record for record in mails.among({N: ["a", "b", "c"]})}
    assert found.keys() == {"a", "b"}
    assert found["a"] == first
    assert mails.find(first.id) == first
    assert mails.find("0") is None


def test_what_is_said_of_a_mail_moves_it_once_and_counts_each_time(mails):
    mails.enter([a_mail("a"), a_mail("b")])
    assert (
        mails.record([recorded("a", provider_id="Q1"), recorded("b", Status.PENDING, reason="deferred")]) == [True] * 2
    )
    mails.record([recorded("a", Status.FAILED, reason="bad_address")])
    a, b = (mails.find(mail_id(N, user)) for user in "ab")
    assert (a.status, a.reason, a.attempts, a.sent_at, a.provider_id) == (Status.SENT, None, 2, after(1), "Q1")
    assert (b.status, b.attempts, b.sent_at, b.reason) == (Status.PENDING, 1, None, Reason.DEFERRED)


def test_what_mails_say_is_kept_once_for_all(mails, database):
    said = Mail("s", "t", "h")
    name = content_id(N, said)
    mails.say([(name, said)], after(60))
    mails.say([(name, said)], after(60))
    assert database["mail_contents"].count_documents({}) == 1
    assert mails.content(name) == said
    assert mails.content(None) is None
    assert content_id(new_id(NOON), said) != name


@pytest.mark.parametrize(
    ("before", "event", "expected"),
    [
        (Status.SENT, Event.RECEIVE, Status.RECEIVED),
        (Status.PENDING, Event.RECEIVE, Status.RECEIVED),
        (Status.SENT, Event.READ, Status.READ),
        (Status.READ, Event.RECEIVE, Status.READ),
        (Status.SENT, Event.BOUNCE, Status.FAILED),
        (Status.RECEIVED, Event.BOUNCE, Status.FAILED),
        (Status.PENDING, Event.BOUNCE, Status.FAILED),
        (Status.READ, Event.BOUNCE, Status.READ),
        (Status.FAILED, Event.READ, Status.READ),
    ],
)
def test_a_report_moves_a_mail_forwards_only(mails, before, event, expected):
    mails.enter([a_mail(status=before)])
    assert mails.move(mail_id(N, "a"), event, after(5), "5.1.1") is (before is not expected)
    found = mails.find(mail_id(N, "a"))
    assert found.status is expected
    assert (found.reason is Reason.BOUNCED) is (expected is Status.FAILED)


def test_a_mail_that_came_back_was_not_received(mails):
    mails.enter([a_mail(status=Status.SENT)])
    assert mails.move(mail_id(N, "a"), Event.BOUNCE, after(5))
    assert not mails.move(mail_id(N, "a"), Event.RECEIVE, after(6))
    assert mails.find(mail_id(N, "a")).status is Status.FAILED


def test_who_waits_for_an_address_is_found_by_name(mails):
    other = new_id(NOON)
    mails.enter([a_mail(reason=Reason.NO_ADDRESS), a_mail("a", other, reason=Reason.DEFERRED), a_mail("b")])
    assert mails.awaiting("a") == [N]
    mails.record([recorded("a")])
    assert mails.awaiting("a") == []


def test_pending_mails_are_cancelled_but_for_those_under_way(mails):
    mails.enter([a_mail("a"), a_mail("b"), a_mail("c", status=Status.SENT), a_mail("a", new_id(NOON))])
    assert mails.cancel(N, ["b"], after(1)) == 1
    assert {record.user: record.status for record in mails.among({N: "abc"})} == {
        "a": Status.CANCELLED,
        "b": Status.PENDING,
        "c": Status.SENT,
    }


def test_pending_mails_expire_when_their_time_is_over(mails):
    mails.enter([a_mail("a"), a_mail("b", expires_at=after(61)), a_mail("c", status=Status.SENT)])
    assert mails.expire(after(60)) == 1
    assert mails.find(mail_id(N, "a")).reason is Reason.TTL_OVER


def test_a_resend_begins_once(mails):
    mails.enter([a_mail("a", status=Status.SENT), a_mail("b", status=Status.READ), a_mail("c", status=Status.RECEIVED)])
    mails.resend({N: ["a", "b", "c"]}, 1, after(5))
    a, b, c = (mails.find(mail_id(N, user)) for user in "abc")
    assert (a.status, a.resends, b.status) == (Status.PENDING, 1, Status.READ)
    assert (c.status, c.resends) == (Status.PENDING, 1)
    mails.record([recorded("a")])
    mails.resend({N: ["a"]}, 1, after(6))
    assert mails.find(a.id).status is Status.SENT


@pytest.mark.parametrize(
    ("event", "said", "expected"),
    [
        (Event.BOUNCE, Status.SENT, (Status.FAILED, Reason.BOUNCED, "5.1.1")),
        (Event.RECEIVE, Status.SENT, (Status.RECEIVED, None, "5.1.1")),
        (Event.READ, Status.PENDING, (Status.READ, None, "5.1.1")),
    ],
)
def test_what_was_reported_before_we_knew_is_not_overwritten_and_the_rest_is_kept(mails, event, said, expected):
    mails.enter([a_mail("a")])
    assert mails.move(mail_id(N, "a"), event, after(1), "5.1.1")
    changes = {"detail": "250", "message_id": "<m>", "address": "$a@example.org", "provider_id": "Q1", "subject": "$s"}
    mails.record([recorded("a", said, **changes)])
    found = mails.find(mail_id(N, "a"))
    assert (found.status, found.reason, found.detail) == expected
    assert (found.message_id, found.address, found.provider_id, found.subject) == ("<m>", "$a@example.org", "Q1", "$s")
    assert (found.attempts, found.sent_at) == (1, after(1) if said is Status.SENT else None)


def test_what_was_sent_while_its_time_ran_out_is_sent(mails):
    mails.enter([a_mail("a")])
    assert mails.expire(after(60)) == 1
    mails.record([recorded("a")])
    assert mails.find(mail_id(N, "a")).status is Status.SENT
    mails.enter([a_mail("b", status=Status.EXPIRED)])
    mails.record([recorded("b", Status.PENDING, reason="deferred")])
    assert mails.find(mail_id(N, "b")).status is Status.EXPIRED
