from notify_server.simulator.quota import Quota
from tests.simulator.conftest import Clock


def test_a_minute_takes_its_quota_and_the_next_one_again(clock: Clock) -> None:
    quota = Quota(clock)
    assert [quota.take(2) for _ in range(3)] == [None, None, 60]
    clock.now += 45.5
    assert quota.take(2) == 15
    clock.now += 14.5
    assert [quota.take(2) for _ in range(3)] == [None, None, 60]


def test_the_wait_is_never_less_than_a_second(clock: Clock) -> None:
    quota = Quota(clock)
    assert quota.take(1) is None
    clock.now += 59.999
    assert quota.take(1) == 1


def test_a_quota_of_zero_takes_nothing(clock: Clock) -> None:
    assert Quota(clock).take(0) == 60
