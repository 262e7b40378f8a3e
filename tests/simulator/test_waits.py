from notify_server.simulator.waits import GRACE, LISTED, Waits
from tests.simulator.conftest import Clock


def test_a_send_before_its_time_is_a_violation_each_time(clock: Clock) -> None:
    waits = Waits(clock)
    waits.impose("t", 5)
    for moment in (0.0, 4.9):
        clock.now = 1_000_000.0 + moment
        waits.check("t")
    assert waits.violations == 2
    assert [round(early.early_by, 3) for early in waits.listed] == [5, 0.1]


def test_a_send_after_its_time_is_none_and_ends_the_wait(clock: Clock) -> None:
    waits = Waits(clock)
    waits.impose("t", 5)
    clock.now += 5
    waits.check("t")
    waits.check("t")
    assert waits.violations == 0


def test_a_rounded_clock_is_forgiven(clock: Clock) -> None:
    waits = Waits(clock)
    waits.impose("t", 5)
    clock.now += 5 - GRACE / 2
    waits.check("t")
    assert waits.violations == 0


def test_other_targets_are_free(clock: Clock) -> None:
    waits = Waits(clock)
    waits.impose("t", 5)
    waits.check("other")
    assert waits.violations == 0


def test_all_violations_are_counted_and_some_listed(clock: Clock) -> None:
    waits = Waits(clock)
    waits.impose("t", 5)
    for _ in range(LISTED + 5):
        waits.check("t")
    assert (waits.violations, len(waits.listed)) == (LISTED + 5, LISTED)
