from dataclasses import replace
from typing import Any

import pytest

from notify_server.domain.batch import Batch, Rank, Stage
from notify_server.domain.notification import Channel, State
from notify_server.storage.batches import Batches
from notify_server.storage.documents import Store, new_id, object_id
from notify_server.storage.notifications import Notifications
from notify_server.storage.resends import Again, Request, Resends
from tests.builders import NOON, a_batch, a_notification, after, at_once


@pytest.fixture
def resends(database: Store) -> Resends:
    return Resends(database)


@pytest.fixture
def notification(database: Store) -> str:
    """One that is done."""
    made = a_notification(state=State.DONE)
    Notifications(database).add(made, None)
    return made.id


def asked(notification: str, **fields: Any) -> Request:
    ordinary: dict[str, Any] = {"users": None, "token": "t1", "at": NOON, "queued": 9}
    return Request(notification, **(ordinary | fields))


def queued(resends: Resends, request: Request, page: dict[str, int], end: str | None = None) -> Request | None:
    return resends.queue(Again(request, page, end or max(page)), after(1), Rank.PROMPT)


def batches(database: Store, notification: str) -> list[tuple[str, tuple[str, ...], int]]:
    """Stage, users and resends of what there is, by key."""
    found = database["batches"].find({"_id.n": object_id(notification)}).sort("_id", 1)
    return [(batch["stage"], tuple(batch["users"]), batch["resends"]) for batch in found]


def add(database: Store, notification: str, *users: str, **fields: Any) -> Batch:
    return Batches(database).add(a_batch(notification, *users, **fields))


def test_a_request_is_read_back(resends: Resends, notification: str) -> None:
    whole, narrowed = asked(notification), asked(notification, users=("a", "b"), cursor="a")
    assert [resends.add(request) for request in (whole, narrowed)] == [whole, narrowed]
    assert sorted(resends.waiting(9), key=str) == sorted([whole, narrowed], key=str)
    assert len(resends.waiting(1)) == 1


def test_the_same_request_is_kept_once_until_it_is_finished(resends: Resends, notification: str) -> None:
    first = resends.add(asked(notification, users=("a", "b")))
    again = asked(notification, users=("a", "b"), token="t2", at=after(1))
    assert resends.add(again) == first
    resends.finish(again)
    assert resends.waiting(9) == [first]
    assert (resends.requested(notification), resends.requested(new_id())) == (True, False)
    resends.finish(first)
    assert not resends.requested(notification)
    assert resends.add(again) == again


def test_a_page_becomes_a_batch_for_each_number_of_resends(
    resends: Resends, database: Store, notification: str
) -> None:
    request = resends.add(asked(notification))
    moved = queued(resends, request, {"a": 0, "b": 1, "c": 0})
    assert moved == replace(request, cursor="c")
    assert resends.waiting(9) == [moved]
    assert batches(database, notification) == [("dispatch", ("a", "c"), 1), ("dispatch", ("b",), 2)]
    [first, _] = Batches(database).lease(Channel.PUSH, "one", after(1), after(30))
    assert (first.key.page, first.rank) == ("", Rank.PROMPT)


def test_who_waits_to_be_sent_to_is_not_queued_again(resends: Resends, database: Store, notification: str) -> None:
    add(database, notification, "a", "x", due_at=after(60))
    add(database, notification, "c", page="b", due_at=after(60))
    request = resends.add(asked(notification))
    assert queued(resends, request, {"a": 0, "b": 0, "c": 0})
    assert sorted(users for _, users, _ in batches(database, notification)) == [("a", "x"), ("b",), ("c",)]


def test_while_somebody_of_a_page_is_being_sent_to_it_waits(
    resends: Resends, database: Store, notification: str
) -> None:
    """That they are `sent` may have been written ahead: their batch would not be sent again, and they be left out."""
    add(database, notification, "a", "x", due_at=after(60), owner="one")
    request = resends.add(asked(notification))
    assert queued(resends, request, {"a": 0, "b": 0}) is None
    assert resends.waiting(9) == [request]
    assert [users for _, users, _ in batches(database, notification)] == [("a", "x")]
    Batches(database).resign("one", after(0))  # a dead owner's, which is due
    assert queued(resends, request, {"a": 0, "b": 0}) is None
    database["batches"].delete_many({})
    assert queued(resends, request, {"a": 0, "b": 0})


def test_who_waits_for_receipts_is_taken_out_of_there(resends: Resends, database: Store, notification: str) -> None:
    add(database, notification, "a", "b", stage=Stage.CONFIRM)
    add(database, notification, "c", page="b", stage=Stage.CONFIRM, resends=1)
    other = add(database, new_id(), "a", stage=Stage.CONFIRM)
    assert queued(resends, resends.add(asked(notification)), {"b": 0, "c": 1})
    assert batches(database, notification) == [
        ("confirm", ("a",), 0),
        ("dispatch", ("b",), 1),
        ("dispatch", ("c",), 2),
    ]
    assert Batches(database).find(other.key) == other


def test_an_empty_page_moves_the_cursor(resends: Resends, database: Store, notification: str) -> None:
    request = resends.add(asked(notification, users=("a", "b")))
    assert queued(resends, request, {}, "b") == replace(request, cursor="b")
    assert batches(database, notification) == []


def test_of_schedulers_that_queue_a_page_at_once_one_does(resends: Resends, database: Store, notification: str) -> None:
    for number in range(10):
        request = resends.add(asked(notification, token=str(number)))
        page = {f"{number}{name}": 0 for name in "abc"}
        moved = at_once(*(lambda r=request, p=page: queued(resends, r, p) for _ in range(3)))
        assert sorted(moved, key=str) == [None, None, replace(request, cursor=f"{number}c")]
        resends.finish(request)
    assert len(batches(database, notification)) == 10


def test_requests_that_overlap_queue_nobody_twice(resends: Resends, database: Store, notification: str) -> None:
    for number in range(10):
        user = f"u{number}"
        rivals = [
            resends.add(asked(notification, token=f"{number}{name}", users=(user, name))) for name in ("v", "w", "x")
        ]
        at_once(*(lambda r=request, u=user: queued(resends, r, {u: 0}) for request in rivals))
        assert database["batches"].count_documents({"users": user}) == 1


@pytest.mark.parametrize(
    "ended", [{"state": "cancelled"}, {"open": False}, {"expires_at": after(1)}], ids=["cancelled", "closed", "expired"]
)
def test_nothing_is_queued_of_what_is_over(
    resends: Resends, database: Store, notification: str, ended: dict[str, Any]
) -> None:
    request = resends.add(asked(notification))
    database["notifications"].update_one({}, {"$set": ended})
    assert queued(resends, request, {"a": 0}) is None
    assert batches(database, notification) == []
    assert resends.waiting(9) == [request]
