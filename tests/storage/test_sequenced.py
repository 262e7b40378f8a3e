from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from bson import ObjectId

from notify_server.domain.registry import Event, Note, Reason
from notify_server.errors import NotFound
from notify_server.storage.documents import Document, Store, object_id
from notify_server.storage.recount import Recount
from notify_server.storage.registry import UNPUSHED, Arrivals, Registry, entries
from notify_server.storage.sequenced import Sequenced, made_at
from tests.builders import NOON, after, recipients


@pytest.fixture
def sequenced(database: Store) -> Sequenced:
    return Sequenced(database)


@contextmanager
def profiling(database: Store) -> Iterator[None]:
    """MongoDB writes a profile of each operation meanwhile."""
    database.command("profile", 2)
    yield
    database.command("profile", 0)


@pytest.fixture
def profiled(database: Store) -> Iterator[Callable[[], list[Document]]]:
    """What the profile says of reads of the registry."""
    yield lambda: list(database["system.profile"].find({"ns": f"{database.name}.registry", "op": "query"}))
    database.drop_collection("system.profile")


def made(seconds: float) -> str:
    """An id that was made so long after NOON."""
    return str(ObjectId.from_datetime(after(seconds)))[:-6] + "abcdef"


def enter(database: Store, notification: str, sequence: int | None, *users: str) -> str:
    arrivals = Arrivals(notification, None, recipients(*users or ("ada",)))
    database["registry"].insert_many(list(entries(arrivals, NOON, sequence)))
    return notification


def test_entries_between_two_numbers_come_newest_first(database: Store, sequenced: Sequenced) -> None:
    ids = {number: enter(database, made(100 - number), number) for number in range(1, 8)}  # no order of ids
    enter(database, made(200), 5, "grace")
    enter(database, made(201), None)
    found = sequenced.between("ada", 2, 6, 3)
    assert [(each.sequence, each.entry.notification) for each in found] == [(n, ids[n]) for n in (6, 5, 4)]
    assert [each.sequence for each in sequenced.between("ada", 2, 6, 9)] == [6, 5, 4, 3]


def test_what_has_gone_from_the_inbox_is_left_out(database: Store, sequenced: Sequenced) -> None:
    cancelled, read = enter(database, made(1), 1), enter(database, made(2), 2)
    registry = Registry(database)
    registry.move(Event.CANCEL, {cancelled: ["ada"]}, Note(NOON, Reason.CANCELLED_BY_BACKEND))
    registry.move(Event.READ, {read: ["ada"]}, Note(NOON))
    assert [each.sequence for each in sequenced.between("ada", 0, 9, 9)] == [2]
    assert [entry.notification for entry in sequenced.among({cancelled: ["ada"], read: ["ada", "grace"]})] == [read]


def test_those_beyond_pending_are_told_apart_by_whether_they_are_in_the_inbox(
    database: Store, sequenced: Sequenced
) -> None:
    notification, registry = enter(database, made(1), 1, "a", "b", "c", "d"), Registry(database)
    registry.move(Event.SEND, {notification: ["a", "b"]}, Note(NOON))
    registry.move(Event.CANCEL, {notification: ["c"]}, Note(NOON, Reason.CANCELLED_BY_BACKEND))
    assert sequenced.beyond_pending(notification, []) == {}
    found = sequenced.beyond_pending(notification, ["b", "c", "d"])
    assert found.keys() == {"b", "c"}
    assert found["b"] is not None
    assert (found["b"].status, found["c"]) == ("sent", None)


def test_entries_since_a_second_are_those_of_later_ids(database: Store, sequenced: Sequenced) -> None:
    for sequence, seconds in enumerate((1, 3, 2, 4), 1):
        enter(database, made(seconds), sequence)
    found, more = sequenced.since("ada", after(2), 3, 9)
    assert ([each.sequence for each in found], more) == ([3, 2], False)
    assert sequenced.since("grace", after(0), 9, 9) == ([], False)


def test_entries_since_a_second_are_the_newest_whatever_channel_they_went_by(
    database: Store, sequenced: Sequenced
) -> None:
    for seconds, sequence in enumerate((3, 1, None, 2), 1):
        enter(database, made(seconds), sequence)
    for limit, expected, more in ((4, [3, 2, 1], False), (3, [2, 1], True), (2, [2], True)):
        found, cut = sequenced.since("ada", after(1), 9, limit)
        assert ([each.sequence for each in found], cut) == (expected, more)


@pytest.mark.parametrize("seconds", [0, 1000, 9000])
def test_no_time_makes_it_read_more_entries_than_it_may_find(
    database: Store, sequenced: Sequenced, profiled: Callable[[], list[Document]], seconds: int
) -> None:
    for number in range(2000):
        enter(database, made(number), None if number % 2 else number)
    for user in ("grace", "zoe"):
        enter(database, made(5), 5, user)
    with profiling(database):
        sequenced.since("ada", after(seconds), 9999, 9)
    [query] = profiled()
    assert query["docsExamined"] <= 10
    assert query["keysExamined"] <= 20


def test_a_number_is_told_of_the_users_own_entry_alone(database: Store, sequenced: Sequenced) -> None:
    numbered, push_only = enter(database, made(1), 7), enter(database, made(2), None)
    assert (sequenced.number("ada", numbered), sequenced.number("ada", push_only)) == (7, None)
    assert sequenced.number("grace", numbered) is None


def test_a_number_is_one_that_no_failover_can_take_back(
    database: Store, sequenced: Sequenced, profiled: Callable[[], list[Document]]
) -> None:
    notification = enter(database, made(1), 7)
    with profiling(database):
        sequenced.number("ada", notification)
    [query] = profiled()
    assert query["command"]["readConcern"]["level"] == "majority"


@pytest.mark.parametrize("push_follows", [True, False])
def test_what_was_emitted_is_sent_and_marked_where_push_follows(
    database: Store, sequenced: Sequenced, push_follows: bool
) -> None:
    notification = enter(database, made(1), 1, "ada", "grace")
    Registry(database).move(Event.CANCEL, {notification: ["grace"]}, Note(NOON, Reason.CANCELLED_BY_BACKEND))
    note = Note(after(1), detail="emitted to an open socket", attempts=1)
    assert sequenced.emitted({notification: ["ada", "grace"]}, note, push_follows=push_follows) == 1
    entry = database["registry"].find_one({"_id": {"n": object_id(notification), "u": "ada"}}) or {}
    assert (entry["status"], entry["sent_at"], entry["attempts"], entry.get(UNPUSHED, False)) == (
        "sent",
        after(1),
        1,
        push_follows,
    )
    assert (Registry(database).unsent({notification: ["ada", "grace"]}) != {}) is push_follows


@pytest.mark.parametrize("push_follows", [True, False])
@pytest.mark.parametrize("event", [Event.SEND, Event.RECEIVE, Event.READ])
def test_what_was_sent_otherwise_before_stays_and_its_history_tells_of_the_socket_once(
    database: Store, sequenced: Sequenced, event: Event, push_follows: bool
) -> None:
    notification = enter(database, made(1), 1)
    who = {notification: ["ada"]}
    Registry(database).move(event, who, Note(after(1), None, "attempt 1: accepted for 1 of 1 devices", 1))
    [before] = database["registry"].find()
    note = Note(after(2), detail="emitted to an open socket", attempts=1)
    assert [sequenced.emitted(who, note, push_follows=push_follows) for _ in range(3)] == [1, 0, 0]
    line = {"status": before["status"], "at": after(2), "detail": note.detail}
    expected = {**before, "history": [*before["history"], line], "attempts": 2}
    assert list(database["registry"].find()) == [expected]
    [part] = Recount(database).of([notification])[notification]
    assert part.tally["realtime/sent"] == 1


def test_what_was_emitted_while_it_was_pending_has_one_line(database: Store, sequenced: Sequenced) -> None:
    notification = enter(database, made(1), 1)
    note = Note(after(1), detail="emitted to an open socket", attempts=1)
    assert [sequenced.emitted({notification: ["ada"]}, note, push_follows=True) for _ in range(2)] == [1, 0]
    [entry] = database["registry"].find()
    assert [line["detail"] for line in entry["history"]] == [None, note.detail]


def test_an_id_says_when_it_was_made() -> None:
    assert made_at(made(7.0)) == after(7)
    with pytest.raises(NotFound):
        made_at("nonsense")
