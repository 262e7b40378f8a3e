from typing import Any

import pytest

from notify_server.domain.registry import Event, Note, Reason
from notify_server.storage.changes import Changes
from notify_server.storage.documents import Store, new_id, object_id
from notify_server.storage.receipts import Receipt, Receipts
from notify_server.storage.registry import Arrivals, Registry
from tests.builders import NOON, after, at_once, recipients


@pytest.fixture
def receipts(database: Store) -> Receipts:
    return Receipts(database)


@pytest.fixture
def notification(database: Store) -> str:
    """A notification that was sent to u1 and u2."""
    made = new_id()
    registry = Registry(database)
    registry.insert([Arrivals(made, None, recipients("u1", "u2"))], NOON)
    registry.move(Event.SEND, {made: ["u1", "u2"]}, Note(NOON))
    return made


def entry(database: Store, notification: str, user: str = "u1") -> dict[str, Any]:
    found = database["registry"].find_one({"_id": {"n": object_id(notification), "u": user}})
    assert found is not None
    return found


def test_a_receipt_is_written_with_the_devices_time_and_name(
    database: Store, receipts: Receipts, notification: str
) -> None:
    receipts.record("u1", [Receipt(notification, Event.RECEIVE, after(5), "phone")])
    stored = entry(database, notification)
    assert (stored["status"], stored["received_at"], stored["read_at"]) == ("received", after(5), None)
    assert stored["history"][-1] == {"status": "received", "at": after(5), "detail": "device phone"}


def test_a_device_that_does_not_give_its_name_is_not_named(
    database: Store, receipts: Receipts, notification: str
) -> None:
    receipts.record("u1", [Receipt(notification, Event.RECEIVE, after(5), None)])
    assert entry(database, notification)["history"][-1]["detail"] is None


def test_no_receipt_is_older_than_its_entry(database: Store, receipts: Receipts, notification: str) -> None:
    receipts.record("u1", [Receipt(notification, Event.RECEIVE, after(-60), None)])
    receipts.record("u2", [Receipt(notification, Event.READ, after(-60), None)])
    received, read = entry(database, notification), entry(database, notification, "u2")
    assert [received["received_at"], received["history"][-1]["at"]] == [NOON] * 2
    assert [read["received_at"], read["read_at"], read["history"][-1]["at"]] == [NOON] * 3


def test_a_receipt_of_an_earlier_send_keeps_its_time(database: Store, receipts: Receipts, notification: str) -> None:
    Registry(database).move(Event.RESEND, {notification: ["u1"]}, Note(after(900)))
    receipts.record("u1", [Receipt(notification, Event.RECEIVE, after(5), None)])
    assert entry(database, notification)["pending_at"] == after(900)
    assert entry(database, notification)["received_at"] == after(5)


def test_read_after_received_keeps_both_times(database: Store, receipts: Receipts, notification: str) -> None:
    both = [Receipt(notification, Event.RECEIVE, after(5), None), Receipt(notification, Event.READ, after(9), None)]
    receipts.record("u1", both)
    stored = entry(database, notification)
    assert (stored["status"], stored["received_at"], stored["read_at"]) == ("read", after(5), after(9))
    assert [line["status"] for line in stored["history"]] == ["pending", "sent", "received", "read"]


def test_a_read_that_overtook_its_received_sets_both_times_and_the_late_one_changes_nothing(
    database: Store, receipts: Receipts, notification: str
) -> None:
    receipts.record("u1", [Receipt(notification, Event.READ, after(9), None)])
    read = entry(database, notification)
    assert (read["status"], read["received_at"], read["read_at"]) == ("read", after(9), after(9))
    assert [line["status"] for line in read["history"]] == ["pending", "sent", "read"]
    receipts.record("u1", [Receipt(notification, Event.RECEIVE, after(5), None)])
    assert entry(database, notification) == read


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (Event.FAIL, Reason.CONNECTION_LOST),
        (Event.EXPIRE, Reason.TTL_OVER),
        (Event.CANCEL, Reason.CANCELLED_BY_BACKEND),
    ],
)
def test_a_late_receipt_is_better_evidence_than_our_own(
    database: Store, receipts: Receipts, event: Event, reason: Reason
) -> None:
    notification, registry = new_id(), Registry(database)
    registry.insert([Arrivals(notification, None, recipients("u1"))], NOON)
    registry.move(event, {notification: ["u1"]}, Note(NOON, reason))
    receipts.record("u1", [Receipt(notification, Event.RECEIVE, after(5), None)])
    stored = entry(database, notification)
    assert (stored["status"], stored["reason"], stored["received_at"]) == ("received", None, after(5))


def test_receipts_touch_the_entry_of_their_own_user_alone(
    database: Store, receipts: Receipts, notification: str
) -> None:
    receipts.record("u1", [Receipt(notification, Event.READ, after(9), None)])
    assert entry(database, notification, "u2")["status"] == "sent"


def test_a_receipt_for_no_entry_makes_none(database: Store, receipts: Receipts, notification: str) -> None:
    receipts.record("stranger", [Receipt(notification, Event.READ, NOON, None)])
    receipts.record("u1", [Receipt(new_id(), Event.READ, NOON, None)])
    receipts.record("u1", [])
    assert database["registry"].count_documents({}) == 2


def test_only_the_users_own_entries_are_known(receipts: Receipts, notification: str) -> None:
    assert receipts.known("u1", [notification, notification, new_id()]) == {notification}
    assert receipts.known("stranger", [notification]) == set()
    assert receipts.known("u1", []) == set()


def test_devices_that_report_at_once_leave_one_line_for_each_state(
    database: Store, receipts: Receipts, notification: str
) -> None:
    def report(device: str) -> None:
        for event in (Event.RECEIVE, Event.READ):
            receipts.record("u1", [Receipt(notification, event, after(5), device)])

    at_once(*(lambda number=number: report(f"d{number}") for number in range(6)))
    stored = entry(database, notification)
    lines = [line["status"] for line in stored["history"]]
    assert lines in (["pending", "sent", "received", "read"], ["pending", "sent", "read"])
    assert stored["status"] == "read"


def test_of_many_receipts_at_once_each_entry_gets_its_own(database: Store, receipts: Receipts) -> None:
    registry, made = Registry(database), [new_id() for _ in range(250)]
    registry.insert([Arrivals(identity, None, recipients("u1")) for identity in made], NOON)
    registry.move(Event.RECEIVE, {made[7]: ["u1"]}, Note(NOON))
    reports = [
        Receipt(identity, (Event.RECEIVE, Event.READ)[number % 2], after(number), f"$d{number}" if number % 3 else None)
        for number, identity in enumerate(made)
    ]
    receipts.record("u1", reports)
    for number, identity in enumerate(made):
        stored = entry(database, identity)
        status = ("received", "read")[number % 2]
        detail = f"device $d{number}" if number % 3 else None
        assert stored["status"] == status
        assert stored["history"][-1] == {"status": status, "at": after(number), "detail": detail}
        assert stored["received_at"] == (NOON if number == 7 else after(number))
        assert stored["read_at"] == (after(number) if status == "read" else None)


@pytest.mark.parametrize(
    ("reported", "lines"),
    [
        ("READ RECEIVE", ["read"]),
        ("RECEIVE READ", ["received", "read"]),
        ("RECEIVE RECEIVE READ RECEIVE READ", ["received", "read"]),
        ("READ READ", ["read"]),
    ],
)
def test_receipts_of_one_entry_count_in_the_order_given(
    database: Store, receipts: Receipts, notification: str, reported: str, lines: list[str]
) -> None:
    events = [Event[name] for name in reported.split()]
    receipts.record("u1", [Receipt(notification, event, after(n), None) for n, event in enumerate(events)])
    history = entry(database, notification)["history"][2:]
    first = {
        "received": events.index(Event.RECEIVE) if Event.RECEIVE in events else None,
        "read": events.index(Event.READ),
    }
    assert [(line["status"], line["at"]) for line in history] == [
        (status, after(first[status] or 0)) for status in lines
    ]


def test_what_has_no_entry_of_the_user_is_not_marked(database: Store, receipts: Receipts, notification: str) -> None:
    """Or else whoever has a token could keep the scheduler busy with ids that they made up."""
    database["changes"].delete_many({})
    invented = [new_id(), new_id(NOON), new_id(after(1e9))]
    receipts.record("u1", [Receipt(name, Event.READ, NOON, None) for name in invented])
    receipts.record("stranger", [Receipt(notification, Event.READ, NOON, None)])
    assert Changes(database).marks() == []
    receipts.record("u1", [Receipt(name, Event.READ, NOON, None) for name in (*invented, notification)])
    assert [mark.notifications for mark in Changes(database).marks()] == [[notification]]
