from datetime import date

import pytest

from notify_server.domain.registry import Event, Note, Reason
from notify_server.domain.statistics import ALL, Dimension, Kind
from notify_server.storage.changes import packed
from notify_server.storage.counts import LEASE, ChunkCounted, Counted, Counts
from notify_server.storage.documents import Store, new_id
from notify_server.storage.leases import Leases
from notify_server.storage.notifications import Notifications
from notify_server.storage.registry import Arrivals, Registry
from notify_server.storage.statistics import ARCHIVE, Statistics
from notify_server.storage.tallies import ERASED, Tallies
from tests.builders import NOON, a_notification, after, at_once, recipients
from tests.counted import differences

DAY = date(2026, 11, 20)
ME = "one"
USERS = [f"u{number}" for number in range(7)]
FAILED = {"pending": 6, "failed": 1, "failed:unregistered": 1}


@pytest.fixture
def counts(database: Store) -> Counts:
    Leases(database).hold(LEASE, ME, NOON, after(9999))
    return Counts(database, size=3)


@pytest.fixture
def name(database: Store) -> str:
    """A notification with seven entries."""
    made = a_notification(category="news")
    Notifications(database).add(made, None)
    Registry(database).insert([Arrivals(made.id, "news", recipients(*USERS))], NOON)
    return made.id


def figures(database: Store, collection: str = "statistics") -> dict[str, int]:
    days = Statistics(database, collection).days(ALL, DAY, DAY, times=True)
    return dict(days[0].tally) if days else {}


def settled(database: Store) -> list[str]:
    """What verify finds once nothing is marked."""
    database["changes"].delete_many({})
    Leases(database).release(LEASE, ME)
    return differences(database)


def fail(database: Store, name: str, *users: str) -> None:
    Registry(database).move(Event.FAIL, {name: users}, Note(after(5), Reason.UNREGISTERED))


def count_chunks(counts: Counts, name: str) -> list[int]:
    found, number = [], ERASED
    while (counted := counts.count_chunk(name, number, ME, NOON)) is not None:
        found.append(counted.entries)
        number += 1
        if counted.last:
            break
    return found


def test_brief_ones_are_counted_together_and_again_by_their_difference(
    counts: Counts, database: Store, name: str
) -> None:
    assert counts.count_brief([name, new_id()], ME, NOON) == Counted({name: 7}, [])
    assert figures(database) == {"pending": 7}
    fail(database, name, "u3")
    counts.count_brief([name], ME, NOON)
    assert figures(database) == FAILED
    assert Statistics(database).days(Dimension(Kind.CATEGORY, "news"), DAY, DAY, times=True)[0].tally == FAILED
    assert settled(database) == []


def test_a_large_one_is_cut_into_chunks(counts: Counts, database: Store, name: str) -> None:
    assert count_chunks(counts, name) == [0, 3, 3, 1]
    assert [(chunk.after, chunk.to) for chunk in Tallies(database).of([name])[name]] == [
        ("", "u2"),
        ("u2", "u5"),
        ("u5", None),
    ]
    fail(database, name, "u4")
    assert counts.count_chunk(name, 1, ME, NOON) == ChunkCounted(3, last=False)
    assert figures(database) == FAILED
    assert counts.count_chunk(name, 9, ME, NOON) == ChunkCounted(0, last=True)
    assert settled(database) == []


def test_a_chunk_without_an_end_gets_one_when_it_has_grown(counts: Counts, database: Store, name: str) -> None:
    assert count_chunks(counts, name) == [0, 3, 3, 1]
    Registry(database).insert([Arrivals(name, "news", recipients("v1", "v2", "v3"))], NOON)
    assert count_chunks(counts, name) == [0, 3, 3, 3, 1]
    assert figures(database) == {"pending": 10}
    assert settled(database) == []


def test_one_that_has_chunks_is_not_counted_as_brief(counts: Counts, database: Store, name: str) -> None:
    count_chunks(counts, name)
    assert counts.count_brief([name], ME, NOON) == Counted({}, [name])
    assert settled(database) == []


def test_whoever_has_not_the_lease_changes_nothing(counts: Counts, database: Store, name: str) -> None:
    assert counts.count_brief([name], "other", NOON) is None
    assert counts.count_chunk(name, 0, "other", NOON) is None
    assert counts.retire([name], "other", NOON) is None
    assert counts.forget(name, "other") is False
    assert figures(database) == {}
    assert Tallies(database).parts(name) == []


def test_two_at_once_count_once(counts: Counts, database: Store, name: str) -> None:
    for _ in range(5):
        at_once(*[lambda: counts.count_brief([name], ME, NOON)] * 3)
        fail(database, name, *USERS[:1])
    assert figures(database) == FAILED


def test_what_is_forgotten_is_in_no_sum(counts: Counts, database: Store, name: str) -> None:
    count_chunks(counts, name)
    assert counts.forget(name, ME)
    assert figures(database) == {}
    assert Tallies(database).parts(name) == []
    assert count_chunks(counts, name) == [0, 3, 3, 1]
    assert settled(database) == []


def test_what_was_retired_stays_in_the_sums_and_is_not_counted_any_more(
    counts: Counts, database: Store, name: str
) -> None:
    count_chunks(counts, name)
    assert counts.retire([name], ME, NOON) == []  # it is marked
    database["changes"].delete_many({})
    assert counts.retire([name], ME, NOON) == [name]
    assert counts.retire([name], ME, NOON) == []
    fail(database, name, "u1")
    assert counts.count_brief([name], ME, NOON) == Counted({}, [])
    assert counts.count_chunk(name, 0, ME, NOON) == ChunkCounted(0, last=True)
    assert figures(database) == figures(database, ARCHIVE) == {"pending": 7}
    assert Tallies(database).parts(name) == []
    assert settled(database) == []


def test_what_is_retired_is_counted_for_the_last_time_in_the_same_step(
    counts: Counts, database: Store, name: str
) -> None:
    counts.count_brief([name], ME, NOON)
    fail(database, name, "u1")
    database["changes"].delete_many({})
    assert counts.retire([name], ME, NOON) == [name]
    assert figures(database) == figures(database, ARCHIVE) == FAILED
    assert settled(database) == []


@pytest.mark.parametrize("limit", ["_MARKS", "_NAMES"])
def test_nothing_is_retired_while_the_journal_is_too_long_to_be_looked_through(
    counts: Counts, database: Store, name: str, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"notify_server.storage.counts.{limit}", 1)
    database["changes"].delete_many({})
    database["changes"].insert_one({"ns": packed([new_id()]), "at": NOON, "hold": 10.0})
    assert counts.retire([name], ME, NOON) == []
    database["changes"].delete_many({})
    assert counts.retire([name], ME, NOON) == [name]
