from dataclasses import dataclass, field

import pytest

from notify_server.services.allowance import Allowance, Demand
from tests.builders import at_once
from tests.service import until

RATE = 1000.0  # messages a second


@dataclass
class Ticks:
    """A monotonic clock that goes on by `step` seconds whenever it is read."""

    now: float = 0.0
    step: float = 0.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@dataclass
class Bucket:
    """An allowance, its clock, and whether it is shut."""

    ticks: Ticks = field(default_factory=Ticks)
    shut: bool = False

    def __post_init__(self) -> None:
        self.allowance = Allowance(RATE, self.ticks, lambda: self.shut)


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


def saves_in_vain(allowance: Allowance, messages: int = 1) -> bool:
    """Whether so many messages of a broadcast would have to wait; this stops the allowance."""
    took, _ = at_once(lambda: allowance.save(messages), allowance.stop)
    return not took


def borrows_in_vain(allowance: Allowance) -> bool:
    """Whether an urgent message would have to wait; this stops the allowance."""
    took, _ = at_once(lambda: allowance.borrow(1), allowance.stop)
    return not took


def test_a_broadcast_is_paid_for_before_it_is_sent_whatever_its_size() -> None:
    bucket = Bucket(Ticks(step=0.005))
    sent = 0
    for messages in [5, 20, 1, 60, 10, 4, 20]:
        assert bucket.allowance.save(messages)
        sent += messages
        assert sent <= RATE * bucket.ticks.now
    assert bucket.ticks.now <= sent / RATE + 20 * bucket.ticks.step


def test_an_idle_worker_saves_no_more_than_a_tenth_of_a_second(bucket: Bucket) -> None:
    bucket.ticks.now = 3600.0
    assert bucket.allowance.save(100)
    assert saves_in_vain(bucket.allowance)


def test_at_a_low_rate_one_message_may_be_saved() -> None:
    bucket = Bucket()
    bucket.allowance.change(0.5)
    bucket.ticks.now = 3600.0
    assert bucket.allowance.save(1)
    assert saves_in_vain(bucket.allowance)


def test_nothing_is_sent_beyond_what_is_paid(bucket: Bucket) -> None:
    assert saves_in_vain(bucket.allowance)


def test_a_broadcast_that_waits_saves_all_that_comes_in_though_it_looks_seldom(bucket: Bucket) -> None:
    def let_time_pass() -> None:
        until(lambda: bucket.allowance.demand().asked)
        for _ in range(4):
            bucket.ticks.now += 0.125
            bucket.allowance.change(RATE)

    assert at_once(lambda: bucket.allowance.save(500), let_time_pass)[0]
    assert bucket.ticks.now == 0.5
    assert saves_in_vain(bucket.allowance)


@pytest.mark.parametrize("part", [0.5, 25.0, RATE])
def test_what_is_urgent_never_waits_behind_a_broadcast(bucket: Bucket, part: float) -> None:
    bucket.allowance.change(part)

    def overtake() -> list[bool]:
        taken = [bucket.allowance.borrow(1) for _ in range(1)]
        bucket.allowance.stop()
        return taken

    broadcast, urgent = at_once(lambda: bucket.allowance.save(500), overtake)
    assert (broadcast, urgent) == (False, [True])


def test_what_is_urgent_borrows_a_second_at_most(bucket: Bucket) -> None:
    assert bucket.allowance.borrow(1000)
    assert bucket.allowance.borrow(1)
    assert borrows_in_vain(bucket.allowance)


def test_a_large_batch_of_what_is_urgent_waits_for_all_beyond_two_seconds(bucket: Bucket) -> None:
    def let_time_pass() -> None:
        while bucket.ticks.now < 3:
            until(lambda: bucket.allowance.demand().asked)
            bucket.ticks.now += 0.5
            bucket.allowance.change(RATE)

    def borrow() -> float:
        assert bucket.allowance.borrow(5000)
        return bucket.ticks.now

    assert at_once(borrow, let_time_pass)[0] == 3.0  # two seconds' part may be owed, the rest is waited for


def test_who_borrows_in_vain_owes_nothing_for_it(bucket: Bucket) -> None:
    def shut() -> None:
        until(lambda: bucket.allowance.demand().asked)
        bucket.shut = True
        bucket.allowance.change(RATE)

    assert at_once(lambda: bucket.allowance.borrow(5000), shut)[0] is False
    bucket.shut = False
    bucket.ticks.now = 0.1
    assert bucket.allowance.save(100)


def test_what_was_borrowed_may_be_borrowed_again_as_time_goes_by(bucket: Bucket) -> None:
    assert bucket.allowance.borrow(1500)
    bucket.ticks.now = 0.5
    assert bucket.allowance.borrow(1)
    assert borrows_in_vain(bucket.allowance)


def test_a_broadcast_pays_for_what_was_borrowed(bucket: Bucket) -> None:
    assert bucket.allowance.borrow(90)
    bucket.ticks.now = 0.18
    assert bucket.allowance.save(90)
    assert saves_in_vain(bucket.allowance)


def test_what_was_not_sent_is_paid_back_in_full(bucket: Bucket) -> None:
    bucket.allowance.refund(300)
    bucket.ticks.now = 1.0
    assert bucket.allowance.save(300)
    assert saves_in_vain(bucket.allowance)


def test_what_was_sent_unpaid_is_paid_later(bucket: Bucket) -> None:
    bucket.allowance.refund(-5)
    bucket.ticks.now = 0.005
    assert saves_in_vain(bucket.allowance)


def test_who_waits_in_vain_gets_back_what_was_paid_so_far() -> None:
    bucket = Bucket()
    bucket.ticks.now = 0.05
    bucket.shut = True
    assert not bucket.allowance.save(100)
    bucket.shut = False
    assert bucket.allowance.save(50)


def test_while_it_is_shut_nobody_may_send(bucket: Bucket) -> None:
    bucket.ticks.now, bucket.shut = 1.0, True
    assert [bucket.allowance.save(1), bucket.allowance.borrow(1)] == [False, False]


def test_who_waits_looks_again_when_it_is_shut(bucket: Bucket) -> None:
    def shut() -> None:
        bucket.shut = True
        bucket.allowance.change(RATE)

    assert at_once(lambda: bucket.allowance.save(1), lambda: bucket.allowance.save(9), shut)[:2] == [False, False]


def test_after_a_stop_nobody_may_send(bucket: Bucket) -> None:
    bucket.ticks.now = 1.0
    bucket.allowance.stop()
    assert [bucket.allowance.save(1), bucket.allowance.borrow(1)] == [False, False]


def test_many_threads_together_send_what_is_paid_for() -> None:
    bucket = Bucket(Ticks(step=0.001))

    def broadcast() -> int:
        return sum(7 for _ in range(10) if bucket.allowance.save(7))

    sent = sum(at_once(*[broadcast] * 4))
    assert sent == 4 * 10 * 7
    assert sent <= RATE * bucket.ticks.now


def test_whoever_asks_wants_a_part(bucket: Bucket) -> None:
    assert bucket.allowance.demand() == Demand(asked=False, used=False, seconds=0.0)
    bucket.ticks.now = 1.0
    assert bucket.allowance.borrow(1)
    assert bucket.allowance.demand() == Demand(asked=True, used=False, seconds=1.0)
    assert bucket.allowance.demand() == Demand(asked=False, used=False, seconds=0.0)


@pytest.mark.parametrize(("messages", "used"), [(499, False), (501, True)])
def test_more_than_half_of_the_rate_makes_use_of_it(bucket: Bucket, messages: int, used: bool) -> None:
    bucket.ticks.now = 1.0
    assert bucket.allowance.borrow(messages)
    assert bucket.allowance.demand().used is used


@pytest.mark.parametrize("way", ["borrow", "save"])
def test_who_must_wait_makes_use_of_the_rate(bucket: Bucket, way: str) -> None:
    assert bucket.allowance.borrow(1001)
    assert bucket.allowance.demand().used
    asks = bucket.allowance.borrow if way == "borrow" else bucket.allowance.save

    def look() -> bool:
        until(lambda: bucket.allowance.demand().used)
        bucket.allowance.stop()
        return True

    assert at_once(lambda: asks(2), look) == [False, True]
