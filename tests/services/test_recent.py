from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from notify_server.services.recent import APART, Recent


class Slow:
    """Finds the next number, which takes `seconds` of its own clock."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.at, self.found = seconds, 100.0, 0

    def __call__(self) -> int:
        self.at += self.seconds
        self.found += 1
        return self.found


def test_it_is_found_anew_once_it_is_many_times_as_old_as_it_took():
    slow = Slow(2.0)
    recent = Recent(slow, lambda: slow.at)
    assert recent() == 1
    slow.at += 2.0 * APART - 0.1
    assert recent() == 1
    slow.at += 0.2
    assert recent() == 2


def test_what_takes_no_time_is_never_old():
    slow = Slow(0.0)
    recent = Recent(slow, lambda: slow.at)
    assert [recent(), recent()] == [1, 2]


def test_who_asks_meanwhile_waits_for_the_same_answer():
    begun, go_on, calls = Event(), Event(), []

    def find() -> int:
        calls.append(1)
        begun.set()
        assert go_on.wait(10)
        return 7

    ticks = iter((0.0, 1.0, 2.0))
    recent = Recent(find, lambda: next(ticks))
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(recent)
        assert begun.wait(10)
        second = pool.submit(recent)
        go_on.set()
        assert (first.result(), second.result(), len(calls)) == (7, 7, 1)


def test_an_error_is_not_kept():
    answers = iter((1, 0))
    recent = Recent(lambda: 1 // (1 - next(answers)), lambda: 0.0)
    with pytest.raises(ZeroDivisionError):
        recent()
    assert recent() == 1
