from datetime import UTC, datetime
from typing import Any

import pytest
from bson import ObjectId

from notify_server.domain.notification import Audience, Notification, State
from notify_server.errors import NotFound
from notify_server.storage.documents import Document, Store, new_id, object_id
from notify_server.storage.notifications import Idempotency, Notifications
from tests.builders import NOON, a_notification, after, at_once


@pytest.fixture
def notifications(database: Store) -> Notifications:
    return Notifications(database)


def key(value: str = "k1", client: str = "backend", fingerprint: str = "f1") -> Idempotency:
    return Idempotency(client, value, fingerprint)


def at(hour: int) -> str:
    """The id of a notification that was made at this hour of New Year's Day."""
    return str(ObjectId.from_datetime(datetime(2026, 1, 1, hour, tzinfo=UTC)))


def test_a_notification_is_read_back_without_its_named_users(notifications: Notifications) -> None:
    notification = a_notification(audience=Audience(users=("u1", "u2"), groups=("choir",)))
    assert notifications.add(notification, None)
    found, recipients = notifications.get(notification.id)
    assert found == a_notification(id=notification.id, audience=Audience(groups=("choir",)))
    assert recipients == 0


def test_a_notification_is_stored_with_a_majority(notifications: Notifications, database: Store) -> None:
    assert database["notifications"].write_concern.document == {"w": "majority", "wtimeout": 10_000}


@pytest.mark.parametrize("unknown", ["n1", "0" * 24])
def test_an_unknown_notification_is_not_found(notifications: Notifications, unknown: str) -> None:
    with pytest.raises(NotFound, match=unknown):
        notifications.get(unknown)


def test_a_key_is_used_once_for_each_client(notifications: Notifications, database: Store) -> None:
    first = a_notification()
    assert notifications.add(first, key())
    assert not notifications.add(a_notification(), key(fingerprint="f2"))
    assert notifications.add(a_notification(), key(client="another"))
    assert notifications.add(a_notification(), key("k2"))
    found, fingerprint = notifications.by_idempotency("backend", "k1")
    assert (found.id, fingerprint) == (first.id, "f1")
    database["notifications"].update_one({}, {"$unset": {"idempotency.fingerprint": ""}})
    assert notifications.by_idempotency("backend", "k1")[1] is None


def test_notifications_without_a_key_do_not_meet(notifications: Notifications) -> None:
    assert [notifications.add(a_notification(), None) for _ in range(3)] == [True] * 3


def test_a_key_that_was_never_used_names_nothing(notifications: Notifications) -> None:
    notifications.add(a_notification(), key())
    with pytest.raises(NotFound):
        notifications.by_idempotency("another", "k1")


def test_of_several_stored_together_those_with_a_used_key_are_told_apart(notifications: Notifications) -> None:
    key, other = Idempotency("php", "k1", "f"), Idempotency("php", "k2", "f")
    made = [a_notification() for _ in range(4)]
    assert notifications.add_all([(made[0], key)]) == [True]
    assert notifications.add_all(list(zip(made[1:], [key, None, other], strict=True))) == [False, True, True]
    assert notifications.add_all([(a_notification(), other), (a_notification(), None)]) == [False, True]
    assert [found.id for found in notifications.among([each.id for each in made])] == [
        m.id for m in made if m is not made[1]
    ]


def test_of_two_that_use_a_key_at_once_one_stores_a_notification(notifications: Notifications, database: Store) -> None:
    for round_ in range(20):
        rivals = [a_notification() for _ in range(4)]
        stored = at_once(
            *(
                lambda one=one, round_=round_: notifications.add(one, key(str(round_), fingerprint=one.id))
                for one in rivals
            )
        )
        assert sorted(stored) == [False, False, False, True]
        winner = rivals[stored.index(True)]
        found, fingerprint = notifications.by_idempotency("backend", str(round_))
        assert found.id == fingerprint == winner.id
    assert database["notifications"].count_documents({}) == 20


@pytest.fixture
def day(notifications: Notifications) -> list[Notification]:
    """Four notifications of one day, an hour apart, oldest first."""
    made = [
        a_notification(id=at(8), category="booking", community="school"),
        a_notification(id=at(9), category="booking", state=State.DONE),
        a_notification(id=at(10), category="invoice", community="school"),
        a_notification(id=at(11)),
    ]
    for notification in made:
        notifications.add(notification, None)
    return made


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [3, 2, 1, 0]),
        ({"category": "booking"}, [1, 0]),
        ({"community": "school"}, [2, 0]),
        ({"state": "done"}, [1]),
        ({"category": "booking", "community": "school", "state": None}, [0]),
        ({"from": datetime(2026, 1, 1, 9, tzinfo=UTC)}, [3, 2, 1]),
        ({"from": datetime(2026, 1, 1, 9, tzinfo=UTC), "to": datetime(2026, 1, 1, 11, tzinfo=UTC)}, [2, 1]),
        ({"category": "booking", "to": datetime(2026, 1, 1, 9, tzinfo=UTC)}, [0]),
        ({"category": "nothing"}, []),
    ],
)
def test_a_page_is_newest_first_and_narrowed_by_every_filter(
    notifications: Notifications, day: list[Notification], filters: dict[str, Any], expected: list[int]
) -> None:
    assert [found.id for found, _ in notifications.page(filters, None, 9)] == [day[place].id for place in expected]


def test_pages_follow_each_other_without_gaps(notifications: Notifications, day: list[Notification]) -> None:
    found = notifications.page({}, None, 3)
    rest = notifications.page({}, found[-1][0].id, 3)
    assert [one.id for one, _ in (*found, *rest)] == [one.id for one in day[::-1]]


def test_the_time_bounds_hold_on_every_page(notifications: Notifications, day: list[Notification]) -> None:
    bounds = {"from": datetime(2026, 1, 1, 9, tzinfo=UTC), "to": datetime(2026, 1, 1, 11, tzinfo=UTC)}
    assert [found.id for found, _ in notifications.page(bounds, at(10), 9)] == [day[1].id]


def stored(database: Store, notification: Notification) -> Document:
    found = database["notifications"].find_one({"_id": object_id(notification.id)})
    assert found is not None
    return found


@pytest.mark.parametrize("state", State)
def test_what_is_open_can_be_cancelled_once(notifications: Notifications, database: Store, state: State) -> None:
    notification = a_notification(state=state)
    notifications.add(notification, None)
    assert notifications.cancel(notification.id) is (state is not State.CANCELLED)
    assert stored(database, notification)["state"] == "cancelled"
    assert not notifications.cancel(notification.id)


def test_what_is_closed_cannot_be_cancelled(notifications: Notifications, database: Store) -> None:
    notification = a_notification(state=State.DONE)
    notifications.add(notification, None)
    database["notifications"].update_one({}, {"$set": {"open": False}})
    assert not notifications.cancel(notification.id)
    assert stored(database, notification)["state"] == "done"


def test_what_does_not_exist_cannot_be_cancelled(notifications: Notifications) -> None:
    assert not notifications.cancel(new_id())


@pytest.mark.parametrize(("state", "due_at"), [(State.SCHEDULED, NOON), (State.DISPATCHING, after(60))])
def test_what_was_scheduled_is_due_at_once_when_it_is_cancelled_and_leases_stay(
    notifications: Notifications, database: Store, state: State, due_at: datetime
) -> None:
    notification = a_notification(state=state, send_at=after(60))
    notifications.add(notification, None)
    notifications.cancel(notification.id)
    assert stored(database, notification)["due_at"] == due_at


def test_what_is_cancelled_is_swept_until_nothing_is_left(notifications: Notifications, database: Store) -> None:
    made = [a_notification() for _ in range(3)]
    for notification in made:
        notifications.add(notification, None)
    for notification in made[:2]:
        notifications.cancel(notification.id)
    assert notifications.unswept(9) == [notification.id for notification in made[:2]]
    assert notifications.unswept(1) == [made[0].id]
    notifications.swept(made[0].id)
    notifications.swept(made[2].id)
    assert notifications.unswept(9) == [made[1].id]
    assert [stored(database, notification)["open"] for notification in made] == [False, True, True]
