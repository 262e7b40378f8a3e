"""The state machine as MongoDB keeps it: every event at every status, then what each method promises besides."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from notify_server.domain.audience import Recipient
from notify_server.domain.inbox import place
from notify_server.domain.registry import TRANSITIONS, Event, Note, Reason, Status, allowed
from notify_server.errors import NotFound
from notify_server.storage.documents import Store, new_id, object_id
from notify_server.storage.receipts import Receipt, Receipts
from notify_server.storage.registry import OVERRIDDEN, Arrivals, Registry
from tests.builders import NOON, after, at_once, recipients

Document = dict[str, Any]
MUTED = Recipient("u1", ("choir",), Reason.MUTED_GROUP)

# The events that lead from no entry to each status.
PATHS: dict[Status | None, list[Event]] = {
    None: [],
    Status.PENDING: [Event.EXPAND],
    Status.SENT: [Event.EXPAND, Event.SEND],
    Status.RECEIVED: [Event.EXPAND, Event.SEND, Event.RECEIVE],
    Status.READ: [Event.EXPAND, Event.SEND, Event.RECEIVE, Event.READ],
    Status.SUPPRESSED: [Event.MUTE],
    Status.FAILED: [Event.EXPAND, Event.FAIL],
    Status.EXPIRED: [Event.EXPAND, Event.EXPIRE],
    Status.CANCELLED: [Event.EXPAND, Event.CANCEL],
}


class Entry:
    """The entry of u1 for one notification, moved through the methods that the service moves it by."""

    def __init__(self, database: Store) -> None:
        self.id = new_id()
        self._all = database["registry"]
        self._registry = Registry(database)
        self._receipts = Receipts(database)

    def apply(self, event: Event, at: datetime) -> None:
        match event:
            case Event.EXPAND:
                self._registry.insert([Arrivals(self.id, None, recipients("u1"))], at)
            case Event.MUTE:
                self._registry.insert([Arrivals(self.id, None, [MUTED])], at)
                self._registry.move(event, {self.id: ["u1"]}, Note(at, MUTED.suppressed))
            case Event.RECEIVE | Event.READ:
                self._receipts.record("u1", [Receipt(self.id, event, at, "phone")])
            case Event.RESEND:
                self._registry.resend({self.id: ["u1"]}, at, 1)
            case _:
                self._registry.move(event, {self.id: ["u1"]}, Note(at, detail=event.value, attempts=1))

    @property
    def stored(self) -> Document | None:
        return self._all.find_one({"_id": {"n": object_id(self.id), "u": "u1"}})


@pytest.fixture
def entry(database: Store) -> Entry:
    return Entry(database)


@pytest.fixture
def registry(database: Store) -> Registry:
    return Registry(database)


def standing_at(entry: Entry, status: Status | None) -> Document | None:
    for minute, event in enumerate(PATHS[status]):
        entry.apply(event, after(60 * minute))
    before = entry.stored
    assert (before and before["status"]) == status
    return before


def standing(registry: Registry, notification: str, users: list[str], statuses: list[Status]) -> set[str]:
    return {user for _, user in registry.standing({notification: users}, statuses)}


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("status", PATHS)
def test_an_event_moves_an_entry_exactly_as_the_table_says(entry: Entry, status: Status | None, event: Event) -> None:
    before, at = standing_at(entry, status), after(3600)
    entry.apply(event, at)
    if not allowed(event, status):
        assert entry.stored == before
        return
    assert entry.stored is not None
    assert entry.stored["status"] == TRANSITIONS[event].target
    history = before["history"] if before else []
    assert entry.stored["history"][:-1] == history
    assert entry.stored["history"][-1]["status"] == TRANSITIONS[event].target
    assert entry.stored["history"][-1]["at"] == at


@pytest.mark.parametrize("event", Event)
def test_an_event_that_comes_again_changes_nothing(entry: Entry, event: Event) -> None:
    status = next(status for status in PATHS if allowed(event, status))
    standing_at(entry, status)
    entry.apply(event, after(3600))
    once = entry.stored
    entry.apply(event, after(7200))
    assert entry.stored == once


def test_an_entry_keeps_when_it_reached_each_state(entry: Entry) -> None:
    standing_at(entry, Status.READ)
    assert entry.stored is not None
    times = [entry.stored[f"{status}_at"] for status in ("pending", "sent", "received", "read")]
    assert times == [after(0), after(60), after(120), after(180)]


def test_a_new_entry_names_the_groups_and_the_category_and_has_cost_nothing(entry: Entry, registry: Registry) -> None:
    registry.insert([Arrivals(entry.id, "booking", [Recipient("u1", ("chess", "choir"))])], NOON)
    assert entry.stored == {
        "_id": {"n": object_id(entry.id), "u": "u1"},
        "status": "pending",
        "reason": None,
        "inbox": "unread",
        "groups": ["chess", "choir"],
        "category": "booking",
        "attempts": 0,
        "resends": 0,
        "pending_at": NOON,
        "sent_at": None,
        "received_at": None,
        "read_at": None,
        "history": [{"status": "pending", "at": NOON, "detail": None}],
    }


def test_a_muting_that_was_overridden_is_in_the_history(entry: Entry, registry: Registry) -> None:
    registry.insert([Arrivals(entry.id, None, [Recipient("u1", ("choir",), overridden=True)])], NOON)
    assert entry.stored is not None
    assert (entry.stored["status"], entry.stored["reason"], entry.stored["inbox"]) == ("pending", None, "unread")
    assert entry.stored["history"] == [{"status": "pending", "at": NOON, "detail": OVERRIDDEN}]


@pytest.mark.parametrize("status", [status for status in PATHS if status is not None])
def test_an_entry_lies_in_the_inbox_where_its_status_puts_it(entry: Entry, status: Status) -> None:
    assert standing_at(entry, status)
    assert entry.stored is not None
    assert entry.stored["inbox"] == place(status)


def test_a_late_receipt_puts_an_entry_into_the_inbox(entry: Entry) -> None:
    standing_at(entry, Status.EXPIRED)
    entry.apply(Event.RECEIVE, after(3600))
    assert entry.stored is not None
    assert (entry.stored["status"], entry.stored["inbox"]) == ("received", "unread")


def test_a_muted_recipient_has_an_entry_that_says_why(entry: Entry) -> None:
    entry.apply(Event.MUTE, NOON)
    assert entry.stored is not None
    assert (entry.stored["status"], entry.stored["reason"]) == ("suppressed", "muted_group")
    assert entry.stored["history"] == [{"status": "suppressed", "at": NOON, "detail": "muted_group"}]


def test_a_page_written_again_adds_only_what_a_crash_left_out(entry: Entry, registry: Registry) -> None:
    registry.insert([Arrivals(entry.id, None, recipients("u1", "u2"))], NOON)
    registry.move(Event.SEND, {entry.id: ["u1"]}, Note(NOON))
    before = entry.stored
    registry.insert([Arrivals(entry.id, "booking", recipients("u1", "u2", "u3"))], after(60))
    assert entry.stored == before
    assert standing(registry, entry.id, ["u1", "u2", "u3"], list(Status)) == {"u1", "u2", "u3"}


def test_a_move_says_how_many_moved_and_leaves_other_users_and_notifications_alone(registry: Registry) -> None:
    one, other = new_id(), new_id()
    for notification in (one, other):
        registry.insert([Arrivals(notification, None, recipients("a", "b", "c"))], NOON)
    assert registry.move(Event.SEND, {one: ["a", "b", "nobody"]}, Note(NOON)) == 2
    assert standing(registry, one, ["a", "b", "c"], [Status.PENDING]) == {"c"}
    assert standing(registry, other, ["a", "b", "c"], [Status.PENDING]) == {"a", "b", "c"}


def test_a_move_of_all_is_for_those_that_stand_where_it_may_start(registry: Registry) -> None:
    notification = new_id()
    registry.insert([Arrivals(notification, None, recipients("a", "b", "c"))], NOON)
    registry.move(Event.SEND, {notification: ["a"]}, Note(NOON))
    assert registry.move_all(Event.EXPIRE, notification, Note(NOON, Reason.TTL_OVER)) == 2
    assert standing(registry, notification, ["a", "b", "c"], [Status.SENT]) == {"a"}


ENDS = (Event.FAIL, Event.EXPIRE, Event.CANCEL)


@pytest.mark.parametrize("event", ENDS)
def test_what_was_sent_before_goes_back_to_sent(entry: Entry, registry: Registry, event: Event) -> None:
    standing_at(entry, Status.SENT)
    registry.resend({entry.id: ["u1"]}, after(900), 1)
    before = entry.stored
    assert before is not None
    note = Note(after(1800), Reason.UNREGISTERED, "attempt 1: unregistered", attempts=1)
    assert registry.move(event, {entry.id: ["u1"]}, note) == 0
    line = {"status": "sent", "at": after(1800), "detail": "attempt 1: unregistered: not sent again"}
    moved = {"status": "sent", "reason": None, "attempts": 2, "history": [*before["history"], line]}
    assert entry.stored == before | moved
    assert entry.stored["sent_at"] == after(60)
    assert entry.stored["inbox"] == "unread"
    assert registry.move(event, {entry.id: ["u1"]}, note) == 0
    assert entry.stored == before | moved


@pytest.mark.parametrize("event", ENDS)
def test_of_all_those_end_that_were_never_sent(database: Store, registry: Registry, event: Event) -> None:
    notification = new_id()
    registry.insert([Arrivals(notification, None, recipients("a", "b", "c", "d"))], NOON)
    registry.move(Event.SEND, {notification: ["a", "b"]}, Note(NOON))
    registry.resend({notification: ["b"]}, after(900), 1)
    assert registry.move_all(event, notification, Note(after(1800), Reason.TTL_OVER)) == 2
    assert standing(registry, notification, ["a", "b", "c", "d"], [Status.SENT]) == {"a", "b"}
    entry = database["registry"].find_one({"_id": {"n": object_id(notification), "u": "b"}})
    assert entry is not None
    assert entry["history"][-1] == {"status": "sent", "at": after(1800), "detail": "ttl_over: not sent again"}


def test_entries_of_several_notifications_are_moved_held_and_resent_together(registry: Registry) -> None:
    one, other, third = (new_id() for _ in range(3))
    pages = [Arrivals(notification, None, recipients("a", "b")) for notification in (one, other, third)]
    registry.insert(pages, NOON)
    who = {one: ["a"], other: ["a", "b"]}
    everybody = {notification: ["a", "b"] for notification in (one, other, third)}
    assert registry.move(Event.SEND, who, Note(NOON)) == 3
    assert registry.standing(everybody, [Status.SENT]) == dict.fromkeys([(one, "a"), (other, "a"), (other, "b")])
    registry.hold({one: ["b"], third: ["a"]}, Note(NOON, Reason.NO_DEVICE))
    assert registry.waiting("a", Reason.NO_DEVICE) == [third]
    assert registry.waiting("b", Reason.NO_DEVICE) == [one]
    assert registry.resend(who, after(900), 1) == 3
    assert registry.standing(everybody, [Status.SENT]) == {}


def test_nobody_is_moved_where_nobody_is_named(registry: Registry) -> None:
    notification = new_id()
    registry.insert([Arrivals(notification, None, recipients("a"))], NOON)
    registry.insert([], NOON)
    assert registry.move(Event.SEND, {}, Note(NOON)) == 0
    assert registry.move(Event.SEND, {notification: ()}, Note(NOON)) == 0
    assert standing(registry, notification, ["a"], [Status.PENDING]) == {"a"}


def test_a_move_counts_attempts_and_replaces_the_reason(entry: Entry, registry: Registry) -> None:
    entry.apply(Event.EXPAND, NOON)
    registry.hold({entry.id: ["u1"]}, Note(NOON, Reason.UNAVAILABLE, "attempt 1: unavailable", 1))
    registry.move(Event.SEND, {entry.id: ["u1"]}, Note(after(10), None, "attempt 2", 1))
    assert entry.stored is not None
    assert (entry.stored["attempts"], entry.stored["reason"], entry.stored["sent_at"]) == (2, None, after(10))


def test_a_hold_that_costs_an_attempt_is_told_each_time(entry: Entry, registry: Registry) -> None:
    entry.apply(Event.EXPAND, NOON)
    for attempt in (1, 2):
        registry.hold({entry.id: ["u1"]}, Note(after(attempt), Reason.UNAVAILABLE, f"attempt {attempt}", 1))
    assert entry.stored is not None
    assert (entry.stored["status"], entry.stored["reason"], entry.stored["attempts"]) == ("pending", "unavailable", 2)
    assert entry.stored["history"][1:] == [
        {"status": "pending", "at": after(attempt), "detail": f"attempt {attempt}"} for attempt in (1, 2)
    ]


def test_a_hold_that_costs_nothing_is_told_once_for_each_change_of_reason(entry: Entry, registry: Registry) -> None:
    entry.apply(Event.EXPAND, NOON)
    for reason in (Reason.QUOTA_EXCEEDED, Reason.QUOTA_EXCEEDED, Reason.NO_DEVICE, Reason.NO_DEVICE):
        registry.hold({entry.id: ["u1"]}, Note(NOON, reason, reason.value))
    assert entry.stored is not None
    assert [line["detail"] for line in entry.stored["history"]] == [None, "quota_exceeded", "no_device"]
    assert entry.stored["attempts"] == 0


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.PENDING])
def test_only_a_pending_entry_can_be_held(entry: Entry, registry: Registry, status: Status) -> None:
    before = standing_at(entry, status)
    registry.hold({entry.id: ["u1"]}, Note(NOON, Reason.NO_DEVICE))
    assert entry.stored == before


def test_a_resend_happens_once_however_often_a_crash_repeats_it(entry: Entry, registry: Registry) -> None:
    standing_at(entry, Status.SENT)
    assert registry.resend({entry.id: ["u1"]}, after(900), 1) == 1
    entry.apply(Event.SEND, after(901))
    assert registry.resend({entry.id: ["u1"]}, after(902), 1) == 0
    assert registry.resend({entry.id: ["u1"]}, after(2700), 2) == 1
    assert entry.stored is not None
    assert (entry.stored["status"], entry.stored["reason"], entry.stored["resends"]) == ("pending", "unconfirmed", 2)
    assert [line["status"] for line in entry.stored["history"]] == ["pending", "sent", "pending", "sent", "pending"]
    assert entry.stored["history"][-1]["detail"] == "resend 2: no device confirmed it"


def test_waiting_names_the_notifications_that_a_user_waits_for_with_one_reason(registry: Registry) -> None:
    waiting, other_reason, sent, of_another = (new_id() for _ in range(4))
    for notification in (waiting, other_reason, sent):
        registry.insert([Arrivals(notification, None, recipients("u1"))], NOON)
    registry.insert([Arrivals(of_another, None, recipients("u2"))], NOON)
    for notification, user in ((waiting, "u1"), (sent, "u1"), (of_another, "u2")):
        registry.hold({notification: [user]}, Note(NOON, Reason.NO_DEVICE))
    registry.hold({other_reason: ["u1"]}, Note(NOON, Reason.UNAVAILABLE))
    registry.move(Event.SEND, {sent: ["u1"]}, Note(NOON))
    assert registry.waiting("u1", Reason.NO_DEVICE) == [waiting]


def test_what_is_no_notification_id_names_no_notification(registry: Registry) -> None:
    with pytest.raises(NotFound, match="There is no notification 'n1'"):
        registry.move(Event.SEND, {"n1": ["u1"]}, Note(NOON))


def test_of_writers_that_want_the_same_entries_exactly_one_wins_each(database: Store, registry: Registry) -> None:
    notification, users = new_id(), [f"u{number:03}" for number in range(200)]
    registry.insert([Arrivals(notification, None, recipients(*users))], NOON)
    rivals = (Event.SEND, Event.FAIL, Event.CANCEL, Event.EXPIRE)

    def rival(event: Event, order: list[str]) -> Callable[[], int]:
        parts = [order[start : start + 10] for start in range(0, len(order), 10)]
        return lambda: sum(registry.move(event, {notification: part}, Note(NOON, detail=event.value)) for part in parts)

    orders = (users, users[::-1], users[100:] + users[:100], users[50:] + users[:50])
    won = at_once(*(rival(event, order) for event, order in zip(rivals, orders, strict=True)))
    assert sum(won) == len(users)
    entries = list(database["registry"].find())
    assert all(len(entry["history"]) == 2 for entry in entries)
    for event, count in zip(rivals, won, strict=True):
        target = TRANSITIONS[event].target
        moved = [entry for entry in entries if entry["status"] == target]
        assert len(moved) == count
        assert all(entry["history"][-1]["detail"] == event.value for entry in moved)


def test_of_workers_that_resend_at_once_one_resends_each_entry(database: Store, registry: Registry) -> None:
    notification, users = new_id(), [f"u{number:03}" for number in range(100)]
    registry.insert([Arrivals(notification, None, recipients(*users))], NOON)
    registry.move(Event.SEND, {notification: users}, Note(NOON))
    resent = at_once(*(lambda: registry.resend({notification: users}, after(900), 1) for _ in range(3)))
    assert sum(resent) == len(users)
    assert all(len(entry["history"]) == 3 for entry in database["registry"].find())


class TestWhatIsLeft:
    """The pages by which what is pending is cancelled, and what is unconfirmed is sent again."""

    @pytest.fixture
    def registry(self, database: Store) -> Registry:
        return Registry(database)

    @pytest.fixture
    def notification(self, registry: Registry) -> str:
        """a to f are pending; s1 to s4 were sent a second after one another, and s4 is read."""
        made, other = new_id(), new_id()
        for each in (made, other):
            registry.insert([Arrivals(each, None, recipients(*"fedcba", "s1", "s2", "s3", "s4"))], NOON)
        for seconds, user in enumerate(("s1", "s2", "s3", "s4")):
            registry.move(Event.SEND, {made: [user]}, Note(after(seconds)))
        registry.move(Event.READ, {made: ["s4"]}, Note(after(9)))
        return made

    def test_who_is_pending_comes_in_pages_in_order(self, registry: Registry, notification: str) -> None:
        assert registry.pending(notification, "", 4) == ["a", "b", "c", "d"]
        assert registry.pending(notification, "d", 4) == ["e", "f"]
        assert registry.pending(notification, "f", 4) == []

    def test_who_was_sent_it_in_time_comes_in_pages_with_their_resends(
        self, registry: Registry, notification: str
    ) -> None:
        registry.resend({notification: ["s1"]}, after(1), 2)
        registry.move(Event.SEND, {notification: ["s1"]}, Note(after(1)))
        assert registry.unconfirmed(notification, after(1), "", 9) == {"s1": 2, "s2": 0}
        assert registry.unconfirmed(notification, after(2), "s1", 1) == {"s2": 0}
        assert registry.unconfirmed(notification, after(9), "s3", 9) == {}

    def test_of_some_users_those_are_found_to_whom_it_was_sent_in_time(
        self, registry: Registry, notification: str
    ) -> None:
        named = ["a", "s1", "s3", "s4", "stranger"]
        assert registry.unconfirmed_among(notification, after(1), named) == {"s1": 0}

    def test_who_is_unconfirmed_is_counted(self, registry: Registry, notification: str) -> None:
        assert registry.count_unconfirmed(notification, None) == 3
        assert registry.count_unconfirmed(notification, ["a", "s1", "s3", "s4", "stranger"]) == 2
        assert registry.count_unconfirmed(new_id(), None) == 0
