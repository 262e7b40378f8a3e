from dataclasses import replace
from typing import Any

import pytest

from notify_server.domain.audience import Recipient
from notify_server.domain.batch import Batch, Stage
from notify_server.domain.notification import Channel
from notify_server.domain.registry import Reason
from notify_server.storage.backlog import Backlog
from notify_server.storage.batches import Batches
from notify_server.storage.documents import Store, object_id
from notify_server.storage.notifications import Notifications
from notify_server.storage.registry import Arrivals
from notify_server.storage.sequences import NewPage, Sequences
from tests.builders import NOON, a_batch, a_notification, at_once, recipients

MINE = "me"


@pytest.fixture
def sequences(database: Store) -> Sequences:
    return Sequences(database)


@pytest.fixture
def claimed(database: Store) -> str:
    return claim(database)


def claim(database: Store, owner: str = MINE) -> str:
    """A notification that `owner` expands."""
    made = a_notification(channels=(Channel.REALTIME,))
    Notifications(database).add(made, None)
    database["notifications"].update_one({"_id": object_id(made.id)}, {"$set": {"owner": owner}})
    return made.id


def announcement(notification: str, *users: str, page: str = "") -> Batch:
    return a_batch(notification, *users, page=page, channel=Channel.REALTIME, stage=Stage.ANNOUNCE)


def a_page(notification: str, *users: str, cursor: str = "", others: tuple[Batch, ...] = ()) -> NewPage:
    batches = [announcement(notification, *users, page=cursor), *others]
    return NewPage(cursor, batches, Arrivals(notification, None, recipients(*users)))


def numbers(database: Store) -> dict[str, Any]:
    return {entry["_id"]["u"]: entry.get("sequence") for entry in database["registry"].find()}


def test_pages_are_entered_with_their_batches_and_numbered_in_order(database: Store, sequences: Sequences) -> None:
    one, two = claim(database), claim(database)
    push = a_batch(two, "c", owner=MINE)
    assert sequences.last() == 0
    assert sequences.enter([a_page(one, "a", "b"), a_page(two, "c", others=(push,))], MINE, NOON)
    assert numbers(database) == {"a": 1, "b": 1, "c": 2}
    assert [(b.key.notification, b.sequence) for b in Backlog(database).announced(0, 9)] == [(one, 1), (two, 2)]
    assert Batches(database).find(push.key) == push
    assert sequences.last() == 2


def test_what_is_muted_has_no_number(database: Store, sequences: Sequences, claimed: str) -> None:
    page = a_page(claimed, "a", "muted")
    muted = replace(page.arrivals, recipients=[*recipients("a"), Recipient("muted", (), Reason.MUTED_GROUP)])
    assert sequences.enter([replace(page, arrivals=muted)], MINE, NOON)
    assert numbers(database) == {"a": 1, "muted": None}


def test_a_batch_that_fixed_the_page_is_numbered_as_it_is(database: Store, sequences: Sequences, claimed: str) -> None:
    stored = Batches(database).add(announcement(claimed, "a"))
    assert sequences.enter([a_page(claimed, "a")], MINE, NOON)
    assert Backlog(database).announced(0, 9) == [replace(stored, sequence=1)]


def test_a_page_that_is_to_be_new_and_has_a_batch_is_not_entered(
    database: Store, sequences: Sequences, claimed: str
) -> None:
    other = claim(database)
    push = Batches(database).add(a_batch(claimed, "a", owner="dead"))
    pages = [a_page(other, "b"), a_page(claimed, "a", others=(replace(push, owner=MINE),))]
    assert not sequences.enter(pages, MINE, NOON, new=True)
    assert (numbers(database), sequences.last()) == ({}, 0)
    assert sequences.enter(pages[:1], MINE, NOON, new=True)
    assert sequences.enter(pages[1:], MINE, NOON)
    assert numbers(database) == {"b": 1, "a": 2}
    assert Batches(database).find(push.key) == push


def test_a_page_is_entered_once(database: Store, sequences: Sequences, claimed: str) -> None:
    assert sequences.enter([a_page(claimed, "a")], MINE, NOON)
    other = claim(database)
    assert not sequences.enter([a_page(other, "b"), a_page(claimed, "a")], MINE, NOON)
    assert numbers(database) == {"a": 1}  # all or nothing
    assert sequences.last() == 1


def test_the_next_page_is_another(database: Store, sequences: Sequences, claimed: str) -> None:
    assert sequences.enter([a_page(claimed, "a")], MINE, NOON)
    database["notifications"].update_one({}, {"$set": {"cursor": "a", "recipients": 1}})
    assert sequences.enter([a_page(claimed, "b", cursor="a")], MINE, NOON)
    assert numbers(database) == {"a": 1, "b": 2}


def test_who_has_lost_the_lease_writes_nothing(database: Store, sequences: Sequences) -> None:
    assert not sequences.enter([a_page(claim(database, "another"), "a")], MINE, NOON)
    assert (numbers(database), sequences.last()) == ({}, 0)


def test_who_has_lost_count_of_the_cursor_writes_nothing(database: Store, sequences: Sequences, claimed: str) -> None:
    assert not sequences.enter([a_page(claimed, "b", cursor="a")], MINE, NOON)
    assert numbers(database) == {}


def test_of_many_at_once_each_gets_numbers_of_its_own_without_gaps(database: Store, sequences: Sequences) -> None:
    claims = [claim(database) for _ in range(12)]

    def enter(number: int) -> bool:
        return sequences.enter([a_page(claims[number], f"u{number}")], MINE, NOON)

    assert at_once(*[lambda n=n: enter(n) for n in range(12)]) == [True] * 12  # type: ignore[misc]
    assert sorted(numbers(database).values()) == list(range(1, 13))


def test_of_two_owners_of_one_page_one_enters_it(database: Store, sequences: Sequences, claimed: str) -> None:
    entered = at_once(*[lambda: sequences.enter([a_page(claimed, "a")], MINE, NOON)] * 4)
    assert sorted(entered) == [False, False, False, True]
    assert numbers(database) == {"a": 1}
