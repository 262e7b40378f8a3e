from collections.abc import Sequence
from threading import Barrier, Event, Thread

import pytest

from notify_server.services.group_commit import GroupCommit
from tests.builders import at_once
from tests.service import until


class Ledger:
    """Doubles what is written, and holds the first write until `go`."""

    def __init__(self) -> None:
        self.writes: list[list[int]] = []
        self.begun, self.go = Event(), Event()
        self.commit = GroupCommit(self.write)

    def write(self, items: Sequence[int]) -> list[int]:
        self.writes.append(list(items))
        self.begun.set()
        assert self.go.wait(30)
        if -1 in items:
            raise OSError("no room")
        return [2 * item for item in items]

    def behind_a_first(self, items: Sequence[int]) -> dict[int, int | OSError]:
        """What each of `items` gets, which all come while the write of 0 is on its way."""
        found: dict[int, int | OSError] = {}

        def submit(item: int) -> None:
            try:
                found[item] = self.commit.submit(item)
            except OSError as error:
                found[item] = error

        threads = [Thread(target=submit, args=(item,)) for item in (0, *items)]
        threads[0].start()
        assert self.begun.wait(30)
        for thread in threads[1:]:
            thread.start()
        until(lambda: len(self.commit._waiting) == len(items))
        self.go.set()
        for thread in threads:
            thread.join()
        return found


def test_alone_an_item_is_written_at_once() -> None:
    ledger = Ledger()
    ledger.go.set()
    assert [ledger.commit.submit(item) for item in (1, 2)] == [2, 4]
    assert ledger.writes == [[1], [2]]


def test_those_who_come_during_a_write_are_written_together_and_each_gets_its_own_result() -> None:
    ledger = Ledger()
    assert ledger.behind_a_first(range(1, 9)) == {item: 2 * item for item in range(9)}
    assert [sorted(write) for write in ledger.writes] == [[0], list(range(1, 9))]


def test_a_write_takes_no_more_than_a_hundred() -> None:
    ledger = Ledger()
    assert len(ledger.behind_a_first(range(1, 151))) == 151
    assert [len(write) for write in ledger.writes] == [1, 100, 50]


def test_all_of_a_failed_write_hear_of_it_and_the_next_ones_are_written() -> None:
    ledger = Ledger()
    found = ledger.behind_a_first([-1, 1, 2])
    assert found.pop(0) == 0
    assert [str(error) for error in found.values()] == ["no room"] * 3
    assert ledger.commit.submit(7) == 14


def test_many_threads_lose_nothing() -> None:
    written: list[int] = []
    commit = GroupCommit(lambda items: [written.append(item) or -item for item in items])  # type: ignore[func-returns-value]
    together = Barrier(8)

    def submit(thread: int) -> list[int]:
        together.wait()
        return [commit.submit(1000 * thread + number) for number in range(200)]

    results = at_once(*(lambda thread=thread: submit(thread) for thread in range(8)))  # type: ignore[misc]
    assert results == [[-(1000 * thread + number) for number in range(200)] for thread in range(8)]
    assert sorted(written) == [1000 * thread + number for thread in range(8) for number in range(200)]


def test_a_result_for_each_item_is_needed() -> None:
    with pytest.raises(ValueError, match="zip"):
        GroupCommit(lambda _: []).submit(1)
