from datetime import datetime
from functools import partial

import pytest

from notify_server.services.device_limits import DeviceLimits
from tests.builders import NOON, a_target, after, at_once

T1, T2 = a_target("t1"), a_target("t2")


def admitted(limits: DeviceLimits, messages: int, at: datetime = NOON, sharers: int = 1) -> int:
    """How many of so many messages to T1 may be sent at `at`."""
    return sum(limits.admit(T1, at, sharers) is None for _ in range(messages))


def test_fcms_own_limits_hold_over_any_minute_and_any_hour_unless_others_are_given() -> None:
    limits, sent = DeviceLimits(), list[int]()
    for second in range(2 * 3600):
        while limits.admit(T1, after(second), 1) is None:
            sent.append(second)
    assert len(sent) > 2 * 4000
    for messages, seconds in ((240, 60), (5000, 3600)):
        assert all(later - first >= seconds for first, later in zip(sent, sent[messages:], strict=False))


def test_a_new_minute_of_the_clock_does_not_begin_a_new_limit() -> None:
    limits = DeviceLimits()
    assert admitted(limits, 300, after(59.9)) == 240
    assert admitted(limits, 300, after(60)) == 0
    assert admitted(limits, 300, after(119.8)) == 0
    assert admitted(limits, 300, after(130)) == 240


@pytest.mark.parametrize(("seconds", "wait"), [(0, 70.0), (9.5, 60.5), (15, 65.0), (59.5, 60.5)])
def test_what_exceeds_a_minute_waits_until_the_first_are_a_minute_ago(seconds: float, wait: float) -> None:
    limits = DeviceLimits(minute=3)
    assert admitted(limits, 3, after(seconds)) == 3
    assert limits.admit(T1, after(seconds), 1) == pytest.approx(wait)
    assert limits.admit(T1, after(seconds + wait - 0.1), 1) == pytest.approx(0.1)
    assert limits.admit(T1, after(seconds + wait), 1) is None


def test_the_wait_is_as_long_as_it_takes_until_enough_is_forgotten() -> None:
    limits = DeviceLimits(minute=4)
    assert [admitted(limits, 1, after(seconds)) for seconds in (0, 10, 20, 30)] == [1] * 4
    assert limits.admit(T1, after(30), 1) == pytest.approx(40)
    assert limits.admit(T1, after(30), 2) == pytest.approx(60)  # two of four are one worker's part
    assert limits.admit(T1, after(30), 4) == pytest.approx(70)


def test_what_exceeds_an_hour_waits_until_the_first_are_an_hour_ago() -> None:
    limits = DeviceLimits(hour=5)
    assert admitted(limits, 9, after(600)) == 5
    assert limits.admit(T1, after(600), 1) == pytest.approx(4200)
    assert limits.admit(T1, after(4800), 1) is None


def test_a_clock_that_is_put_back_neither_forgets_nor_blocks() -> None:
    limits = DeviceLimits(minute=2)
    assert admitted(limits, 1, after(3600)) == 1
    assert admitted(limits, 3, NOON) == 1
    assert limits.admit(T2, NOON, 1) is None
    assert admitted(limits, 3, after(3670)) == 2


def test_one_device_does_not_hold_another_back() -> None:
    limits = DeviceLimits(minute=2)
    assert admitted(limits, 5) == 2
    assert limits.admit(T2, NOON, 1) is None


def test_what_is_refused_is_not_counted() -> None:
    limits = DeviceLimits(minute=2, hour=4)
    assert admitted(limits, 50) == 2
    assert admitted(limits, 50, after(70)) == 2


def test_workers_that_send_at_once_share_a_limit() -> None:
    limits = DeviceLimits(minute=10)
    assert admitted(limits, 20, sharers=2) == 5
    assert admitted(limits, 20, sharers=1) == 5
    assert admitted(limits, 20, sharers=5) == 0


def test_more_workers_than_a_limit_has_messages_may_each_send_one() -> None:
    assert admitted(DeviceLimits(minute=3), 9, sharers=8) == 1


def test_threads_that_turn_a_window_at_once_forget_nothing_too_early() -> None:
    limits = DeviceLimits(minute=100)
    for seconds in range(0, 3000, 10):
        at_once(*[partial(limits.admit, T1, after(seconds), 1)] * 4)
    assert admitted(limits, 100, after(2990)) >= 100 - 7 * 4
    assert admitted(limits, 100, after(2990)) == 0
