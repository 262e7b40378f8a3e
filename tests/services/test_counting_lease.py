import pytest

from notify_server.errors import Conflict
from notify_server.services.counting_lease import LASTS, CountingLease
from notify_server.storage.documents import Store
from notify_server.storage.leases import Leases
from tests.builders import StoppedClock


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def lease(database: Store, clock: StoppedClock) -> CountingLease:
    return CountingLease(Leases(database), "one", clock)


@pytest.fixture
def other(database: Store, clock: StoppedClock) -> CountingLease:
    return CountingLease(Leases(database), "one", clock)


def test_one_has_it_at_a_time_be_they_of_one_process(lease: CountingLease, other: CountingLease) -> None:
    with lease.held() as held:
        assert held
        assert lease.take()
        with other.held() as taken:
            assert not taken
        assert not other.take()
    assert other.take()


def test_it_runs_out_later_than_a_transaction(lease: CountingLease, other: CountingLease, clock: StoppedClock) -> None:
    assert lease.take()
    clock.forward(10)
    assert not other.take()
    clock.forward(LASTS.total_seconds() - 10)
    assert other.take()
    assert not lease.take()


def test_it_is_extended_until_another_has_had_it(
    lease: CountingLease, other: CountingLease, clock: StoppedClock
) -> None:
    assert lease.take()
    for _ in range(3):
        clock.forward(LASTS.total_seconds() - 1)
        lease.extend()
        assert not other.take()
    clock.forward(LASTS.total_seconds())
    with other.held() as held:
        assert held
    with pytest.raises(Conflict, match="Begin again"):
        lease.extend()


def test_it_is_awaited(lease: CountingLease, other: CountingLease, clock: StoppedClock) -> None:
    assert lease.take()
    with other.awaited(clock.forward):
        assert not lease.take()
    assert lease.take()
    assert lease.now() == clock.now


def test_it_is_not_awaited_for_ever(lease: CountingLease, other: CountingLease, clock: StoppedClock) -> None:
    def pause(seconds: float) -> None:
        clock.forward(seconds)
        assert lease.take()

    assert lease.take()
    with pytest.raises(Conflict, match="does not come to an end"), other.awaited(pause):
        pass
