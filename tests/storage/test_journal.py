from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any

import pytest

from notify_server.errors import NotFound
from notify_server.storage.changes import Changes
from notify_server.storage.documents import Store, new_id
from notify_server.storage.journal import ENTERED, HOLD, LONG, SOON, YOUNG, Journal
from tests.builders import at_once


class Ticks:
    """Ticks, and a database's clock and elections that go with them until a test sets them."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.known, self.election, self.set_by = True, "first", 0.0
        self.began = datetime.now(UTC)

    def __call__(self) -> float:
        return self.now

    def clock(self) -> datetime:
        return self.began + timedelta(seconds=self.now - 1000.0 + self.set_by)


class Clock:
    def __init__(self, ticks: Ticks) -> None:
        self._ticks = ticks
        self.known = True

    @property
    def election(self) -> object:
        return self._ticks.election

    def now(self) -> datetime:
        return self._ticks.clock()


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def journal(database: Store, ticks: Ticks) -> Journal:
    journal = Journal(database, ticks)
    journal._clock = Clock(ticks)  # type: ignore[assignment]
    return journal


@pytest.fixture
def steady(journal: Journal, ticks: Ticks) -> None:
    """The journal has known its primary for long."""
    with journal.changing([]):
        ticks.now += 1000


def marked(database: Store) -> list[set[str]]:
    return [set(mark.notifications) for mark in Changes(database).marks()]


def test_a_mark_is_there_before_anything_changes(journal: Journal, database: Store, ticks: Ticks) -> None:
    one, other = new_id(), new_id()
    with journal.changing([one, other]):
        assert marked(database) == [{one, other}]
    [mark] = Changes(database).marks()
    assert mark.hold == HOLD
    assert abs((mark.at - ticks.clock()).total_seconds()) < 1


def test_what_is_marked_is_not_marked_again_until_the_mark_grows_old(
    journal: Journal, database: Store, ticks: Ticks
) -> None:
    one, other = new_id(), new_id()
    for names in ([one], [one], [one, other]):
        with journal.changing(names):
            pass
    assert marked(database) == [{one}, {other}]
    ticks.now += HOLD - SOON + 0.1
    with journal.changing([one]):
        pass
    assert marked(database) == [{one}, {other}, {one}]


def test_after_a_write_that_took_long_everything_is_marked_again(
    journal: Journal, database: Store, ticks: Ticks
) -> None:
    name = new_id()
    with journal.changing([name]):
        ticks.now += SOON + 0.1
    assert marked(database) == [{name}, {name}]


def test_a_write_that_fails_late_is_marked_again_too(journal: Journal, database: Store, ticks: Ticks) -> None:
    name = new_id()

    def fail() -> None:
        ticks.now += SOON + 0.1
        raise ValueError("late")

    with pytest.raises(ValueError, match="late"), journal.changing([name]):
        fail()
    assert marked(database) == [{name}, {name}]


def test_a_write_that_meets_an_election_is_marked_again_and_old_marks_count_for_nothing(
    journal: Journal, database: Store, ticks: Ticks
) -> None:
    name = new_id()
    with journal.changing([name]):
        ticks.election = "second"
    assert len(marked(database)) == 2
    with journal.changing([name]):
        pass
    assert len(marked(database)) == 3
    with journal.changing([name]):
        pass
    assert len(marked(database)) == 3


def entered(journal: Journal, ticks: Ticks) -> str:
    """A notification of this moment, whose entries are entered."""
    name = new_id(ticks.clock())
    with journal.entering([name]):
        pass
    return name


def test_what_is_young_relies_on_the_mark_of_its_entries(
    journal: Journal, database: Store, ticks: Ticks, steady: None
) -> None:
    name = entered(journal, ticks)
    assert [mark.hold for mark in Changes(database).marks()] == [ENTERED]
    for seconds in (6, 60, YOUNG - 68):
        ticks.now += seconds
        with journal.changing([name]):
            pass
    assert len(marked(database)) == 1
    ticks.now += 3
    with journal.changing([name]):
        pass
    assert [mark.hold for mark in Changes(database).marks()] == [ENTERED, HOLD]


def test_a_mark_of_entries_holds_for_a_minute_longer_than_anybody_relies_on_it() -> None:
    assert ENTERED - YOUNG - SOON >= 55


def test_a_process_that_has_just_begun_takes_nothing_for_young(journal: Journal, database: Store, ticks: Ticks) -> None:
    name = entered(journal, ticks)
    ticks.now += 10
    with journal.changing([name]):
        pass
    assert len(marked(database)) == 2


@pytest.mark.parametrize("change", [{"election": "second"}, {"set_by": -60.0}, {"set_by": 60.0}])
def test_after_an_election_and_where_the_clock_was_set_nothing_is_young(
    journal: Journal, database: Store, ticks: Ticks, steady: None, change: dict[str, Any]
) -> None:
    name = entered(journal, ticks)
    ticks.now += 6
    for field, value in change.items():
        setattr(ticks, field, value)
    with journal.changing([name]):
        pass
    assert len(marked(database)) == 2
    ticks.now += 30
    later = entered(journal, ticks)
    with journal.changing([name, later]):
        pass
    assert marked(database)[3:] == [{name}]


def test_entries_of_what_is_old_already_are_marked_as_any_change(
    journal: Journal, database: Store, ticks: Ticks, steady: None
) -> None:
    with journal.entering([new_id(ticks.clock() - timedelta(hours=1))]):
        pass
    assert [mark.hold for mark in Changes(database).marks()] == [HOLD]


def test_a_page_that_takes_long_or_meets_an_election_is_entered_under_a_long_mark_again(
    journal: Journal, database: Store, ticks: Ticks, steady: None
) -> None:
    with journal.entering([new_id(ticks.clock())]):
        ticks.now += SOON + 1
    with journal.entering([new_id(ticks.clock())]):
        ticks.election = "second"
    assert [mark.hold for mark in Changes(database).marks()] == [ENTERED] * 4


def test_a_short_mark_does_not_serve_entries(journal: Journal, database: Store, ticks: Ticks) -> None:
    name = new_id(ticks.clock())
    with journal.changing([name]), journal.entering([name]):
        pass
    assert [mark.hold for mark in Changes(database).marks()] == [HOLD, ENTERED]


def test_a_mark_for_a_write_of_any_length_holds_long(journal: Journal, database: Store, ticks: Ticks) -> None:
    name = new_id()
    with journal.changing_all(name):
        ticks.now += SOON + 0.1
    assert [mark.hold for mark in Changes(database).marks()] == [LONG]
    with journal.changing_all(name):
        ticks.now += LONG
    assert [mark.hold for mark in Changes(database).marks()] == [LONG, LONG, HOLD]


def test_nothing_is_marked_for_nothing(journal: Journal, database: Store) -> None:
    with journal.changing([]):
        pass
    assert marked(database) == []


def test_what_somebody_else_named_is_marked_where_it_exists(journal: Journal, database: Store, ticks: Ticks) -> None:
    one, other, third = new_id(), new_id(), new_id()
    asked: list[set[str]] = []

    def existing(names: set[str]) -> set[str]:
        asked.append(names)
        return names & {one}

    with journal.changing([one, other], existing):
        assert marked(database) == [{one}]
    with journal.changing([one, third], existing):
        pass
    with journal.changing([third], existing):
        ticks.election = "second"
    assert asked == [{one, other}, {third}, {third}, {third}]
    with journal.changing([one, other], existing):
        ticks.now += SOON + 0.1
    assert marked(database) == [{one}] * 3


def test_what_cannot_be_an_id_is_refused_and_keeps_nobody_else_from_marking(journal: Journal, database: Store) -> None:
    with pytest.raises(NotFound), journal.changing(["nonsense"]):
        pass
    name = new_id()
    with journal.changing([name]):
        assert marked(database) == [{name}]


def test_each_thread_goes_on_when_its_own_is_marked(journal: Journal, database: Store) -> None:
    names = [new_id() for _ in range(24)]

    def change(name: str) -> Any:
        with journal.changing([name]):
            return name in set().union(*marked(database))

    assert at_once(*[lambda name=name: change(name) for name in names]) == [True] * 24
    assert sorted(name for mark in marked(database) for name in mark) == sorted(names)


def test_those_who_come_while_a_mark_is_being_written_share_the_next_one(journal: Journal, database: Store) -> None:
    names, reached, go = [new_id() for _ in range(6)], Event(), Event()
    write = journal._write

    def slow(these: Any, hold: float) -> None:
        reached.set()
        go.wait(10)
        write(these, hold)

    journal._write = slow  # type: ignore[method-assign] # the moment in which a mark is under way

    def change(name: str) -> None:
        with journal.changing([name]):
            pass

    threads = [Thread(target=change, args=(name,)) for name in names]
    threads[0].start()
    reached.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(journal._next.names) < 5:
        pass
    go.set()
    for thread in threads:
        thread.join(10)
    assert sorted(map(len, marked(database))) == [1, 5]
