from datetime import timedelta

import pytest

from notify_server.domain.mail import Answer
from notify_server.domain.mailing import BLOCKED, DISABLED, WITHOUT_ADDRESS, Mailed, cost, event, moves, plan, status
from notify_server.domain.notification import Channel
from notify_server.domain.outcome import ACCEPTED, Kind, Outcome
from notify_server.domain.registry import Event, Reason, Status
from tests.builders import NOON, a_batch, a_notification, seeded

SENT = Answer(ACCEPTED)
DEAD = Answer(Outcome(Kind.TARGET_DEAD, Reason.BAD_ADDRESS), "550 5.1.1")
LATER = Answer(Outcome(Kind.RETRY, Reason.UNAVAILABLE), "451")
QUOTA = Answer(Outcome(Kind.RETRY, Reason.QUOTA_EXCEEDED, 30.0))


def mailed(attempt=0, ttl=86_400, left=(), **answers):
    notification = a_notification(channels=(Channel.EMAIL,), ttl=ttl)
    batch = a_batch(notification.id, *answers, *left, channel=Channel.EMAIL, attempt=attempt, owner="one")
    return Mailed(batch, notification.expires_at, answers, left)


def planned(**batch):
    found = mailed(**batch)
    return found.batch, plan(found, NOON, seeded())


def moved(**batch):
    found = mailed(**batch)
    return moves(found.batch, found.answers, NOON)


@pytest.mark.parametrize(
    ("answer", "event_of", "stands", "attempts"),
    [
        (SENT, Event.SEND, Status.SENT, 1),
        (DEAD, Event.FAIL, Status.FAILED, 1),
        (LATER, None, Status.PENDING, 1),
        (QUOTA, None, Status.PENDING, 0),
        (DISABLED, Event.DISABLE, Status.SUPPRESSED, 0),
        (BLOCKED, Event.DISABLE, Status.SUPPRESSED, 0),
        (WITHOUT_ADDRESS, None, Status.PENDING, 0),
    ],
)
def test_an_answer_says_where_entry_and_mail_stand_and_what_it_cost(answer, event_of, stands, attempts):
    assert (event(answer.outcome), status(answer.outcome), cost(answer.outcome)) == (event_of, stands, attempts)


def test_each_recipient_ends_in_one_place():
    answers = {"a": SENT, "b": SENT, "c": DEAD, "d": LATER, "e": QUOTA, "f": WITHOUT_ADDRESS}
    batch, made = planned(**answers)
    assert {(move.event, move.note.reason): list(move.users) for move in moved(**answers)} == {
        (Event.SEND, None): ["a", "b"],
        (Event.FAIL, Reason.BAD_ADDRESS): ["c"],
        (None, Reason.UNAVAILABLE): ["d"],
        (None, Reason.QUOTA_EXCEEDED): ["e"],
        (None, Reason.NO_ADDRESS): ["f"],
    }
    again = [made.successor, *made.split]
    assert [retry.users for retry in again] == [("d",), ("e",)]
    assert made.successor.key == batch.key
    assert made.split[0].key != batch.key
    assert {retry.owner for retry in again} == {None}
    assert [retry.attempt for retry in again] == [1, 0]
    assert again[1].due_at == NOON + timedelta(seconds=30)


def test_a_batch_of_which_nothing_is_left_goes():
    _, made = planned(a=SENT, b=DEAD, c=WITHOUT_ADDRESS)
    assert (made.successor, made.split) == (None, [])


def test_a_retry_comes_later_each_time_and_never_after_the_end():
    waits = [planned(attempt=attempt, a=LATER)[1].successor.due_at - NOON for attempt in range(4)]
    assert waits == sorted(waits)
    assert waits[0] >= timedelta(seconds=10)
    assert planned(attempt=9, ttl=60, a=LATER)[1].successor.due_at == NOON + timedelta(seconds=60)


def test_a_line_of_history_says_the_attempt_the_reason_and_the_code():
    [move] = moved(attempt=2, a=DEAD)
    assert move.note.detail == "mail, attempt 3: bad_address (550 5.1.1)"
    assert move.note.attempts == 1


def test_whom_nobody_came_to_is_due_at_once_and_has_lost_no_attempt():
    batch, made = planned(attempt=1, left=["x", "y"], a=SENT, b=LATER)
    assert (made.successor.users, made.successor.due_at, made.successor.attempt) == (("x", "y"), NOON, 1)
    assert (made.successor.key, made.successor.owner) == (batch.key, None)
    [retry] = made.split
    assert (retry.users, retry.attempt) == (("b",), 2)
