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
from tests.services.test_allowance import Ticks

RATE = 1000.0  # messages a second
DEAD = Outcome(Kind.TARGET_DEAD, Reason.UNREGISTERED)
UNAVAILABLE = Outcome(Kind.RETRY, Reason.UNAVAILABLE)
LOST = Outcome(Kind.RETRY, Reason.CONNECTION_LOST)
QUOTA = Outcome(Kind.RETRY, Reason.QUOTA_EXCEEDED)
REFUSED = Outcome(Kind.RETRY, Reason.CREDENTIAL_REFUSED)
ALIEN = Outcome(Kind.RETRY, Reason.PROVIDER_CREDENTIAL)
TOO_OFTEN = Outcome(Kind.RETRY, Reason.DEVICE_RATE, 9.0)


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


def test_a_broadcast_waits_until_it_is_paid_for_and_what_is_urgent_does_not(workshop: Workshop) -> None:
    ticks = Ticks()
    governor = workshop.governor(ticks=ticks)
    ticks.now = 0.05
    assert governor.take(50, urgent=False)
    assert governor.take(1, urgent=True)
    assert waits(governor, urgent=False)


def test_what_is_refunded_may_be_sent_again(workshop: Workshop) -> None:
    governor = workshop.governor()
    governor.refund(7)
    assert governor.take(7, urgent=False)
    assert waits(governor, urgent=False)


def test_who_stops_lets_nobody_begin(workshop: Workshop) -> None:
    governor = workshop.governor()
    governor.stop()
    assert not governor.take(1, urgent=True)


def test_a_new_project_begins_with_a_tenth_and_rises(workshop: Workshop) -> None:
    ticks = Ticks()
    governor = workshop.governor(ticks=ticks, ramp=60.0)
    for second in range(61):
        assert governor.take(60 + 9 * second, urgent=True)  # more than half of what there is
        ticks.now += 1.0
        workshop.clock.forward(1)
        governor.refresh()
    assert governor.take(901, urgent=True)
    assert governor.take(1, urgent=True)


def test_a_trickle_is_no_ramp(workshop: Workshop) -> None:
    ticks = Ticks()
    governor = workshop.governor(ticks=ticks, ramp=60.0)
    for _ in range(61):
        assert governor.take(49, urgent=True)
        ticks.now += 1.0
        workshop.clock.forward(1)
        governor.refresh()
    assert governor.take(101, urgent=True)
    assert waits(governor, urgent=True)


def test_who_waits_for_its_part_makes_use_of_the_rate(workshop: Workshop) -> None:
    governor = workshop.governor(ramp=60.0)

    def look() -> bool:
        while workshop.paces.get(Channel.PUSH).busy_at is None:
            governor.refresh()
        governor.stop()
        return True

    assert at_once(lambda: governor.take(1, urgent=False), look) == [False, True]


def test_a_process_that_stood_still_made_no_use_of_the_rate_meanwhile(workshop: Workshop) -> None:
    governor = workshop.governor(ticks=Ticks(step=1.0), ramp=60.0)
    assert governor.take(100, urgent=True)
    governor.refresh()
    assert governor.take(3001, urgent=True)  # for half a minute, all that there is
    workshop.clock.forward(30)
    governor.refresh()
    pace = workshop.paces.get(Channel.PUSH)
    assert pace.busy_at == workshop.clock()
    assert pace.rate(Limits(RATE, 60.0), workshop.clock()) == pytest.approx(RATE / 10)


def test_a_worker_knows_whether_others_live(workshop: Workshop) -> None:
    one, two = workshop.governor("one"), workshop.governor("two")
    one.refresh()
    assert one.alone
    two.refresh()
    one.refresh()
    assert not one.alone
    two.leave()
    one.refresh()
    assert one.alone


def test_at_the_beginning_of_a_ramp_there_is_no_more_than_a_tenth(workshop: Workshop) -> None:
    governor = workshop.governor(ramp=60.0)
    assert governor.take(101, urgent=True)
    governor.refresh()
    assert waits(governor, urgent=True)


def test_workers_that_send_share_the_rate(workshop: Workshop) -> None:
    one, two = workshop.governor("one"), workshop.governor("two")
    assert two.take(1, urgent=True)
    two.refresh()
    assert one.take(501, urgent=True)
    one.refresh()
    assert (one.sharers, two.sharers) == (2, 1)
    assert waits(one, urgent=True)


def test_who_begins_to_send_counts_among_those_who_do(workshop: Workshop) -> None:
    one, two = workshop.governor("one"), workshop.governor("two")
    for governor in (one, two, one):
        governor.refresh()
    assert (one.sharers, two.sharers) == (2, 2)  # any of them may begin at any moment
    assert one.take(1, urgent=True)
    for governor in (one, two):
        governor.refresh()
    assert (one.sharers, two.sharers) == (1, 2)


def test_who_begins_to_send_need_not_wait_to_say_so(workshop: Workshop) -> None:
    governor = workshop.governor()
    governor.refresh()

    def begin() -> None:
        assert governor.take(1, urgent=True)

    at_once(lambda: governor.rest(600.0), begin)
    governor.refresh()
    assert workshop.workers.sending(workshop.clock()) == 1


def test_who_stops_need_not_rest(workshop: Workshop) -> None:
    governor = workshop.governor()
    at_once(lambda: governor.rest(600.0), governor.stop)


def test_who_waits_for_a_part_counts_as_sending(workshop: Workshop) -> None:
    governor = workshop.governor()

    def look() -> int:
        seen = 0
        while seen < 2:  # one report is due to the beginning of the wait
            governor.refresh()
            seen += workshop.workers.sending(workshop.clock())
        governor.stop()
        return seen

    assert at_once(lambda: governor.take(1, urgent=False), look) == [False, 2]


@pytest.mark.parametrize("ending", ["leaves", "dies", "idles"])
def test_the_part_of_who_sends_no_longer_falls_to_the_others(workshop: Workshop, ending: str) -> None:
    one, two = workshop.governor("one"), workshop.governor("two")
    for governor in (one, two):
        assert governor.take(1, urgent=True)
        governor.refresh()
    assert two.sharers == 2
    assert two.take(1, urgent=True)
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
        governor.observe([UNAVAILABLE, LOST] * 5)
    governor.observe([UNAVAILABLE, DEAD])  # FCM has answered
    for _ in range(2):
        governor.observe([LOST] * 5)
        assert not governor.paused
    governor.observe([UNAVAILABLE])
    assert governor.paused
    found = workshop.paces.get(Channel.PUSH)
    assert (found.reason, found.paused_at, found.paused_until) == (Reason.UNAVAILABLE, after(0), after(10))


def test_a_few_single_messages_without_success_pause_nothing(workshop: Workshop) -> None:
    governor = workshop.governor()
    for _ in range(9):
        governor.observe([UNAVAILABLE])
    assert not governor.paused
    governor.observe([UNAVAILABLE])
    assert governor.paused


def test_a_refused_credential_pauses_the_channel_at_once(workshop: Workshop) -> None:
    governor = workshop.governor()
    governor.observe([REFUSED, REFUSED])
    assert governor.paused
    assert workshop.paces.get(Channel.PUSH).reason is Reason.CREDENTIAL_REFUSED


@pytest.mark.parametrize("outcomes", [[], [ACCEPTED, REFUSED, LOST], [QUOTA] * 9, [TOO_OFTEN], [ALIEN] * 9])
def test_other_outcomes_pause_nothing(workshop: Workshop, outcomes: list[Outcome]) -> None:
    governor = workshop.governor()
    for _ in range(9):
        governor.observe(outcomes)
    assert not governor.paused


def test_after_a_pause_one_of_all_workers_probes_and_the_others_wait_on(workshop: Workshop) -> None:
    one, two = workshop.governor("one"), workshop.governor("two")
    assert one.probe() is None
    one.observe([REFUSED])
    two.refresh()
    assert [one.probe(), two.probe()] == [None, None]
    workshop.clock.forward(10)
    assert [one.paused, two.paused] == [False, False]
    assert one.probe()
    assert [one.probe(), two.probe()] == [None, None]
    assert [one.paused, two.paused] == [True, True]
    assert [one.take(1, urgent=True), two.take(1, urgent=False)] == [False, False]


def test_of_probes_at_once_one_is_made(workshop: Workshop) -> None:
    governors = [workshop.governor(owner) for owner in ("one", "two")]
    governors[0].observe([REFUSED])
    governors[1].refresh()
    workshop.clock.forward(10)
    assert sum(probe is not None for probe in at_once(*[governor.probe for governor in governors] * 3)) == 1


@pytest.mark.parametrize(
    ("outcomes", "reason"),
    [([LOST], Reason.UNAVAILABLE), ([UNAVAILABLE], Reason.UNAVAILABLE), ([REFUSED], Reason.CREDENTIAL_REFUSED)],
)
def test_a_probe_in_vain_brings_the_next_and_longer_pause(
    workshop: Workshop, outcomes: list[Outcome], reason: Reason
) -> None:
    governor = workshop.governor()
    governor.observe([REFUSED])
    workshop.clock.forward(10)
    probe = governor.probe()
    workshop.clock.forward(1)
    governor.observe(outcomes, probe)
    found = workshop.paces.get(Channel.PUSH)
    assert (found.reason, found.paused_at, found.paused_until) == (reason, after(0), after(31))


@pytest.mark.parametrize("outcome", [ACCEPTED, DEAD, QUOTA, ALIEN])
def test_a_probe_that_fcm_answers_ends_the_pause_for_all_workers(workshop: Workshop, outcome: Outcome) -> None:
    one, two = workshop.governor("one"), workshop.governor("two")
    one.observe([REFUSED])
    two.refresh()
    workshop.clock.forward(10)
    probe = one.probe()
    two.refresh()
    assert two.paused
    one.observe([UNAVAILABLE, outcome], probe)
    two.refresh()
    assert [one.paused, two.paused] == [False, False]
    assert two.take(1, urgent=True)
    found = workshop.paces.get(Channel.PUSH)
    assert (found.failures, found.reason, found.paused_at) == (0, None, None)


def test_while_the_channel_is_broken_only_a_probe_tells(workshop: Workshop) -> None:
    governor = workshop.governor()
    governor.observe([REFUSED])
    before = workshop.paces.get(Channel.PUSH)
    for outcomes in ([ACCEPTED], [REFUSED], [LOST] * 99):
        governor.observe(outcomes)
        workshop.clock.forward(10)
    assert workshop.paces.get(Channel.PUSH) == before


def test_who_probes_and_has_nothing_to_send_leaves_it_to_the_next(workshop: Workshop) -> None:
    governor = workshop.governor()
    governor.observe([REFUSED])
    workshop.clock.forward(10)
    governor.observe([], governor.probe())
    assert not governor.paused
    assert governor.probe()


def test_who_dies_while_it_probes_leaves_it_to_another_after_a_while(workshop: Workshop) -> None:
    one, two = workshop.governor("one"), workshop.governor("two")
    one.observe([REFUSED])
    workshop.clock.forward(10)
    assert one.probe()
    two.refresh()
    workshop.clock.forward(19)
    assert two.probe() is None
    workshop.clock.forward(1)
    assert two.probe()


def test_a_pause_lets_nobody_wait_any_longer(workshop: Workshop) -> None:
    governor = workshop.governor()
    waited, _ = at_once(lambda: governor.take(1, urgent=False), lambda: governor.observe([REFUSED]))
    assert not waited


def test_a_quota_refusal_halves_the_rate_of_all_workers(workshop: Workshop) -> None:
    one, two = workshop.governor("one"), workshop.governor("two")
    one.observe([ACCEPTED, *[QUOTA] * 5])
    assert workshop.paces.get(Channel.PUSH).throttled_at == workshop.clock()
    assert two.take(501, urgent=True)
    two.refresh()
    assert waits(two, urgent=True)
    assert one.take(501, urgent=True)
    assert waits(one, urgent=True)


def test_a_ramp_begins_when_sending_does_and_for_all_workers(workshop: Workshop) -> None:
    one, two = workshop.governor("one"), workshop.governor("two")
    for governor in (one, two):
        governor.refresh()
    assert workshop.paces.get(Channel.PUSH).busy_at is None
    assert two.take(1000, urgent=True)
    workshop.clock.forward(7)
    two.refresh()
    assert workshop.paces.get(Channel.PUSH).busy_at == after(7)
