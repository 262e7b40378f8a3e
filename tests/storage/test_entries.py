from collections.abc import Sequence

import pytest
from bson import ObjectId

from notify_server.domain.audience import Recipient
from notify_server.domain.registry import Event, Note, Reason, Status
from notify_server.storage.documents import Store, new_id
from notify_server.storage.entries import Entries
from notify_server.storage.registry import Arrivals, Registry
from tests.builders import NOON, after, recipients

NOTIFICATIONS = [str(ObjectId(f"{number:024x}")) for number in range(1, 4)]


@pytest.fixture
def entries(database: Store) -> Entries:
    """Three notifications, each to a to e; of the first, b was sent to and d had muted it."""
    registry = Registry(database)
    first, *others = NOTIFICATIONS
    muted = Recipient("d", (), Reason.MUTED_CATEGORY)
    registry.insert([Arrivals(first, None, [muted, *recipients("e", "c", "b", "a")])], NOON)
    registry.move(Event.SEND, {first: ["b"]}, Note(after(1)))
    registry.insert([Arrivals(notification, None, recipients("a", "b")) for notification in others], NOON)
    return Entries(database)


def users(found: Sequence[dict[str, object]]) -> list[object]:
    return [entry["user_id"] for entry in found]


def test_the_entries_of_a_notification_come_in_the_order_of_users_whatever_their_status(entries: Entries) -> None:
    assert users(entries.of_notification(NOTIFICATIONS[0], None, None, 9)) == list("abcde")


def test_a_page_of_entries_begins_after_a_user_and_is_no_longer_than_asked(entries: Entries) -> None:
    assert users(entries.of_notification(NOTIFICATIONS[0], None, "b", 2)) == ["c", "d"]
    assert entries.of_notification(NOTIFICATIONS[0], None, "e", 2) == []


@pytest.mark.parametrize(("status", "expected"), [("pending", "ace"), ("sent", "b"), ("suppressed", "d"), ("read", "")])
def test_entries_can_be_narrowed_to_one_status(entries: Entries, status: str, expected: str) -> None:
    assert users(entries.of_notification(NOTIFICATIONS[0], status, None, 9)) == list(expected)


def test_the_entries_of_a_user_come_newest_notification_first(entries: Entries) -> None:
    found = [entry["notification_id"] for entry in entries.of_user("a", None, 9)]
    assert found == NOTIFICATIONS[::-1]
    assert [entry["notification_id"] for entry in entries.of_user("a", NOTIFICATIONS[2], 1)] == [NOTIFICATIONS[1]]
    assert users(entries.of_user("d", None, 9)) == ["d"]
    assert entries.of_user("nobody", None, 9) == []


def test_an_entry_is_shown_with_its_history_and_without_our_own_book_keeping(entries: Entries) -> None:
    [entry] = [each for each in entries.of_notification(NOTIFICATIONS[0], None, None, 9) if each["user_id"] == "b"]
    assert entry == {
        "notification_id": NOTIFICATIONS[0],
        "user_id": "b",
        "status": "sent",
        "reason": None,
        "groups": [],
        "attempts": 0,
        "pending_at": NOON,
        "sent_at": after(1),
        "received_at": None,
        "read_at": None,
        "history": [
            {"status": "pending", "at": NOON, "detail": None},
            {"status": "sent", "at": after(1), "detail": None},
        ],
    }


def test_counts_equal_a_recount_and_name_every_status(entries: Entries) -> None:
    none = dict.fromkeys(map(str, Status), 0)
    unknown = new_id()
    assert [entries.counts(one) for one in (*NOTIFICATIONS[:2], unknown)] == [
        none | {"pending": 3, "sent": 1, "suppressed": 1},
        none | {"pending": 2},
        none,
    ]
    assert [entries.count(NOTIFICATIONS[0], status) for status in (Status.PENDING, Status.READ)] == [3, 0]
    assert entries.erased(unknown) == none


def test_the_entry_of_one_user_is_found(entries: Entries) -> None:
    found = entries.find(NOTIFICATIONS[0], "b")
    assert found is not None
    assert (found["user_id"], found["status"]) == ("b", "sent")
    assert entries.find(NOTIFICATIONS[1], "c") is None
