from datetime import datetime
from functools import partial

import pytest

from notify_server.services.device_limits import DeviceLimits
from tests.builders import NOON, a_target, after, at_once

T1, T2 = a_target("t1"), a_target("t2")


def admitted(limits: DeviceLimits, messages: int, at: datetime = NOON, sharers: int = 1) -> int:
    """How many of so many messages to T1 may be sent at `at`."""
    return limits.admit([T1] * messages, at, sharers).count(None)


def wait(limits: DeviceLimits, at: datetime = NOON, sharers: int = 1) -> float | None:
    """What one more message to T1 gets."""
    [found] = limits.admit([T1], at, sharers)
    return found


@pytest.mark.parametrize("sharers", [1, 3])
def test_fcms_own_limits_hold_over_any_minute_and_any_hour(sharers: int) -> None:
    limits, sent = DeviceLimits(), list[int]()
    for second in range(2 * 3600):
        sent += [second] * admitted(limits, 250, after(second), sharers)
    assert 2 * 4000 < sharers * len(sent) < 2 * 5000
    for messages, seconds in ((240 / sharers + 1, 60), (5000 / sharers + 1, 3600)):
        assert all(later - first >= seconds for first, later in zip(sent, sent[int(messages) :], strict=False))


def test_so_many_go_at_once_as_leave_room_for_the_rest_of_the_minute() -> None:
    limits = DeviceLimits()
    assert admitted(limits, 300) == 159
    assert admitted(limits, 300, after(30)) == 40
    assert admitted(limits, 300, after(60)) == 41
    assert admitted(limits, 300, after(600)) == 159


def test_what_exceeds_a_limit_comes_back_together() -> None:
    limits = DeviceLimits(minute=10, hour=364)  # three at once, and one each ten seconds
    assert limits.admit([T1] * 6, NOON, 1) == [None, None, None, None, 10.0, 10.0]
    assert wait(limits, after(4)) == 10
    assert wait(limits, after(10)) is None
    assert wait(limits, after(10)) == 10


def test_a_clock_that_is_put_back_blocks_nobody() -> None:
    limits = DeviceLimits()
    assert admitted(limits, 300, after(7200)) == 159
    assert admitted(limits, 300, NOON) == 159


def test_one_device_does_not_hold_another_back() -> None:
    limits = DeviceLimits()
    assert admitted(limits, 300) == 159
    assert limits.admit([T2, T1], NOON, 1) == [None, 10.0]


def test_what_is_refused_is_not_counted() -> None:
    limits = DeviceLimits()
    assert [admitted(limits, 1000) for _ in range(3)] == [159, 0, 0]
    assert admitted(limits, 1000, after(600)) == 159


def test_workers_that_send_at_once_share_a_limit() -> None:
    limits = DeviceLimits()
    assert admitted(limits, 300, sharers=4) == 39
    assert 0 < admitted(limits, 300, sharers=1) <= 120
    assert admitted(limits, 300, sharers=4) == 0


def test_more_workers_than_a_limit_has_messages_may_each_send_one() -> None:
    assert admitted(DeviceLimits(minute=3, hour=100), 9, sharers=8) == 1


def test_many_threads_forget_hardly_anything() -> None:
    limits = DeviceLimits()
    found = at_once(*[partial(limits.admit, [T1] * 100, NOON, 1)] * 4)
    assert sum(waits.count(None) for waits in found) in range(159, 180)
