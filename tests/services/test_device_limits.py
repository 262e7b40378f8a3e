from datetime import UTC, datetime, timedelta

import pytest

from notify_server.services.device_limits import DeviceLimits
from tests.builders import NOON, a_target, after

T1, T2 = a_target("t1"), a_target("t2")


def admitted(limits: DeviceLimits, messages: int, at: datetime = NOON, sharers: int = 1) -> int:
    """How many of so many messages to T1 may be sent at `at`."""
    return sum(limits.admit(T1, at, sharers) is None for _ in range(messages))


def test_fcms_own_limits_hold_unless_others_are_given() -> None:
    limits = DeviceLimits()
    by_minute = [admitted(limits, 300, NOON + timedelta(minutes=minute)) for minute in range(60)]
    assert by_minute[:20] == [240] * 20
    assert by_minute[20:] == [200] + [0] * 39
    assert admitted(limits, 300, NOON + timedelta(hours=1)) == 240


@pytest.mark.parametrize(("seconds", "wait"), [(0, 60.0), (15, 45.0), (59.5, 0.5)])
def test_what_exceeds_a_minute_waits_until_the_next(seconds: float, wait: float) -> None:
    limits = DeviceLimits(minute=3)
    assert admitted(limits, 3, after(seconds)) == 3
    assert limits.admit(T1, after(seconds), 1) == pytest.approx(wait)
    assert limits.admit(T1, after(seconds + wait), 1) is None


def test_what_exceeds_an_hour_waits_until_the_next() -> None:
    limits = DeviceLimits(hour=5)
    assert admitted(limits, 9, after(600)) == 5
    assert limits.admit(T1, after(600), 1) == pytest.approx(3000)
    assert limits.admit(T1, after(3600), 1) is None


def test_one_device_does_not_hold_another_back() -> None:
    limits = DeviceLimits(minute=2)
    assert admitted(limits, 5) == 2
    assert limits.admit(T2, NOON, 1) is None


def test_what_is_refused_is_not_counted() -> None:
    limits = DeviceLimits(minute=2, hour=4)
    assert admitted(limits, 50) == 2
    assert admitted(limits, 50, after(60)) == 2


def test_workers_that_send_at_once_share_a_limit() -> None:
    limits = DeviceLimits(minute=10)
    assert admitted(limits, 20, sharers=2) == 5
    assert admitted(limits, 20, sharers=1) == 5
    assert admitted(limits, 20, sharers=5) == 0


def test_more_workers_than_a_limit_has_messages_may_each_send_one() -> None:
    assert admitted(DeviceLimits(minute=3), 9, sharers=8) == 1


def test_minutes_are_the_clocks_own() -> None:
    limits, late = DeviceLimits(minute=1), datetime(2026, 11, 20, 12, 0, 59, tzinfo=UTC)
    assert admitted(limits, 2, late) == 1
    assert admitted(limits, 2, late + timedelta(seconds=1)) == 1
