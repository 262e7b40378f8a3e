from dataclasses import dataclass

import pytest

from notify_server.domain.notification import Channel
from notify_server.domain.outcome import ACCEPTED, Kind, Outcome
from notify_server.domain.pace import Limits
from notify_server.domain.registry import Reason
from notify_server.services.governor import Governor, Shared
from notify_server.services.holder import Holder
from notify_server.storage.documents import Store
from notify_server.storage.paces import Paces
from notify_server.storage.workers import Workers
from tests.builders import StoppedClock, after, at_once

RATE = 1000.0  # messages a second
DEAD = Outcome(Kind.TARGET_DEAD, Reason.UNREGISTERED)
UNAVAILABLE = Outcome(Kind.RETRY, Reason.UNAVAILABLE)
LOST = Outcome(Kind.RETRY, Reason.CONNECTION_LOST)
QUOTA = Outcome(Kind.RETRY, Reason.QUOTA_EXCEEDED)
REFUSED = Outcome(Kind.RETRY, Reason.CREDENTIAL_REFUSED)
TOO_OFTEN = Outcome(Kind.RETRY, Reason.DEVICE_RATE, 9.0)


@dataclass
class Ticks:
    """A monotonic clock that goes on by `step` seconds whenever it is read."""

    now: float = 0.0
    step: float = 0.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@dataclass
class Workshop:
    """Workers that share one database and one clock."""

    database: Store
    clock: StoppedClock

    def governor(self, owner: str = "one", ticks: Ticks | None = None, ramp: float = 0.0) -> Governor:
        shared = Shared(self.paces, self.workers)
        return Governor(shared, Limits(RATE, ramp), Holder(owner, 30.0, self.clock), ticks or Ticks())

    @property
    def paces(self) -> Paces:
        return Paces(self.database)

    @property
    def workers(self) -> Workers:
        return Workers(self.database)


@pytest.fixture
def workshop(database: Store, clock: StoppedClock) -> Workshop:
    return Workshop(database, clock)


def waits(governor: Governor, *, urgent: bool) -> bool:
    """Whether one more message would have to wait, in the end in vain: this stops the governor."""
    took, _ = at_once(lambda: governor.take(1, urgent=urgent), governor.stop)
    return not took


def test_messages_leave_at_the_rate_whatever_the_size_of_a_dispatch(workshop: Workshop) -> None:
    ticks = Ticks(step=0.005)
    governor = workshop.governor(ticks=ticks)
    for messages in [5, 20, 1, 40, 10, 4, 20]:
        assert governor.take(messages, urgent=False)
    assert ticks.now >= 80 / RATE  # the last dispatch is not waited for
    assert ticks.now <= 80 / RATE + 20 * ticks.step


def test_an_idle_worker_saves_no_more_than_a_tenth_of_a_second(workshop: Workshop) -> None:
    ticks = Ticks()
    governor = workshop.governor(ticks=ticks)
    ticks.now = 3600.0
    assert governor.take(100, urgent=False)
    assert governor.take(1, urgent=False)
    assert waits(governor, urgent=False)


def test_a_broadcast_waits_for_what_it_was_lent(workshop: Workshop) -> None:
    ticks = Ticks()
    governor = workshop.governor(ticks=ticks)
    assert governor.take(500, urgent=False)
    ticks.now = 0.51
    assert governor.take(500, urgent=False)
    ticks.now = 0.99
    assert waits(governor, urgent=False)


def test_what_is_urgent_passes_a_broadcast_and_borrows_a_second_at_most(workshop: Workshop) -> None:
    governor = workshop.governor()
    assert governor.take(500, urgent=False)
    assert governor.take(500, urgent=True)
    assert governor.take(1, urgent=True)
    assert waits(governor, urgent=True)


def test_who_stops_lets_nobody_begin(workshop: Workshop) -> None:
    governor = workshop.governor()
    governor.stop()
    assert not governor.take(1, urgent=True)


def test_a_new_project_begins_with_a_tenth_and_rises(workshop: Workshop) -> None:
    governor = workshop.governor(ramp=60.0)
    assert governor.take(101, urgent=True)
    governor.refresh()
    workshop.clock.forward(60)
    governor.refresh()
    assert governor.take(1, urgent=True)  # a tenth would have been used up


def test_at_the_beginning_of_a_ramp_there_is_no_more_than_a_tenth(workshop: Workshop) -> None:
    governor = workshop.governor(ramp=60.0)
    assert governor.take(101, urgent=True)
    governor.refresh()
    assert waits(governor, urgent=True)


def test_workers_that_send_share_the_rate(workshop: Workshop) -> None:
    one, two = workshop.governor("one"), workshop.governor("two")
    assert two.take(1, urgent=False)
    two.refresh()
    assert one.take(501, urgent=True)
    one.refresh()
    assert (one.sharers, two.sharers) == (2, 1)
    assert waits(one, urgent=True)


def test_who_begins_to_send_counts_among_those_who_do(workshop: Workshop) -> None:
    one, two = workshop.governor("one"), workshop.governor("two")
    assert one.take(1, urgent=False)
    for governor in (one, two):
        governor.refresh()
    assert (one.sharers, two.sharers) == (1, 2)


def test_who_waits_for_a_part_counts_as_sending(workshop: Workshop) -> None:
    governor = workshop.governor()
    assert governor.take(1, urgent=False)

    def look() -> int:
        seen = 0
        while seen < 3:  # one report is due to the take before, and one to the beginning of the wait
            governor.refresh()
            seen += workshop.workers.sending(workshop.clock())
        governor.stop()
        return seen

    assert at_once(lambda: governor.take(1, urgent=False), look) == [False, 3]


@pytest.mark.parametrize("ending", ["leaves", "dies", "idles"])
def test_the_part_of_who_sends_no_longer_falls_to_the_others(workshop: Workshop, ending: str) -> None:
    one, two = workshop.governor("one"), workshop.governor("two")
    for governor in (one, two):
        assert governor.take(1, urgent=False)
        governor.refresh()
    assert two.sharers == 2
    match ending:
        case "leaves":
            one.leave()
        case "dies":
            workshop.clock.forward(3)
        case _:
            one.refresh()
    two.refresh()
    assert two.sharers == 1


def test_three_dispatches_in_a_row_without_success_pause_the_channel(workshop: Workshop) -> None:
    governor = workshop.governor()
    for _ in range(2):
        governor.observe([UNAVAILABLE, LOST])
    governor.observe([UNAVAILABLE, DEAD])  # FCM has answered
    for _ in range(2):
        governor.observe([LOST])
        assert not governor.paused
    governor.observe([UNAVAILABLE])
    assert governor.paused
    assert workshop.paces.get(Channel.PUSH).reason is Reason.UNAVAILABLE


def test_a_refused_credential_pauses_the_channel_at_once(workshop: Workshop) -> None:
    governor = workshop.governor()
    governor.observe([REFUSED, REFUSED])
    assert governor.paused
    assert workshop.paces.get(Channel.PUSH).reason is Reason.CREDENTIAL_REFUSED


@pytest.mark.parametrize("outcomes", [[], [ACCEPTED, REFUSED, LOST], [QUOTA], [TOO_OFTEN]])
def test_other_outcomes_pause_nothing(workshop: Workshop, outcomes: list[Outcome]) -> None:
    governor = workshop.governor()
    for _ in range(9):
        governor.observe(outcomes)
    assert not governor.paused


def test_after_a_pause_one_failure_brings_the_next_and_longer_one(workshop: Workshop) -> None:
    governor = workshop.governor()
    governor.observe([REFUSED])
    workshop.clock.forward(10)
    assert not governor.paused
    governor.observe([LOST])
    assert workshop.paces.get(Channel.PUSH).paused_until == after(30)


def test_what_gets_through_ends_the_pause_for_all_workers(workshop: Workshop) -> None:
    one, two = workshop.governor("one"), workshop.governor("two")
    one.observe([REFUSED])
    paused = [two.paused]
    two.refresh()
    assert [*paused, two.paused] == [False, True]
    two.observe([UNAVAILABLE, ACCEPTED])
    one.refresh()
    assert [one.paused, two.paused] == [False, False]
    assert workshop.paces.get(Channel.PUSH).failures == 0


def test_a_quota_refusal_halves_the_rate_of_all_workers(workshop: Workshop) -> None:
    one, two = workshop.governor("one"), workshop.governor("two")
    one.observe([ACCEPTED, QUOTA])
    assert workshop.paces.get(Channel.PUSH).throttled_at == workshop.clock()
    assert two.take(501, urgent=True)
    two.refresh()
    assert waits(two, urgent=True)


def test_a_ramp_begins_when_sending_does_and_for_all_workers(workshop: Workshop) -> None:
    one, two = workshop.governor("one"), workshop.governor("two")
    for governor in (one, two):
        governor.refresh()
    assert workshop.paces.get(Channel.PUSH).busy_since is None
    assert two.take(1, urgent=False)
    workshop.clock.forward(7)
    two.refresh()
    assert workshop.paces.get(Channel.PUSH).busy_since == after(7)
