from threading import Event, Thread
from typing import Any

import pytest

from notify_server.errors import NotFound
from notify_server.storage import server_clock
from notify_server.storage.changes import Changes
from notify_server.storage.documents import Store, new_id
from notify_server.storage.journal import HOLD, LONG, SOON, Journal
from tests.builders import at_once


class Ticks:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def journal(database: Store, ticks: Ticks) -> Journal:
    return Journal(database, ticks)


def marked(database: Store) -> list[set[str]]:
    return [set(mark.notifications) for mark in Changes(database).marks()]


def test_a_mark_is_there_before_anything_changes(journal: Journal, database: Store) -> None:
    one, other = new_id(), new_id()
    with journal.changing([one, other]):
        assert marked(database) == [{one, other}]
    [mark] = Changes(database).marks()
    assert mark.hold == HOLD
    assert abs((mark.at - server_clock.of(database).now()).total_seconds()) < 60


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
    with pytest.raises(ValueError, match="late"), journal.changing([name]):
        ticks.now += SOON + 0.1
        raise ValueError("late")
    assert marked(database) == [{name}, {name}]


def test_a_write_that_meets_an_election_is_marked_again_and_old_marks_count_for_nothing(
    journal: Journal, database: Store
) -> None:
    name, clock = new_id(), server_clock.of(database)
    elected = clock.election
    with journal.changing([name]):
        clock.election = "another"
    assert marked(database) == [{name}, {name}]
    with journal.changing([name]):
        clock.election = elected
    assert len(marked(database)) == 3  # the mark after the election serves this write, and the next election another
    with journal.changing([name]):
        pass
    assert len(marked(database)) == 4


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
