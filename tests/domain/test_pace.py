from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_server.domain.pace import GRACE, LAST_PAUSE, PROBE, START, Condition, Limits, Pace
from notify_server.domain.registry import Reason
from tests.builders import NOON, after

LIMITS = Limits(rate=1000.0, ramp=60.0)
FULL = Pace(busy_since=after(-60), busy_at=NOON)
G = GRACE.total_seconds()


def ramped(seconds: float, every: float = 0.5) -> Pace:
    """The pace after sends that make use of the rate from NOON on, as it is reported so often."""
    pace = Pace()
    for number in range(round(seconds / every) + 1):
        pace = pace.busy(LIMITS, after(number * every), every)
    return pace


@pytest.mark.parametrize(("seconds", "rate"), [(0, 100), (30, 550), (60, 1000), (600, 1000)])
@pytest.mark.parametrize("every", [0.1, 0.5, 2.5])
def test_the_rate_rises_evenly_from_a_tenth_to_the_full_one(seconds: float, rate: float, every: float) -> None:
    assert ramped(seconds, every).rate(LIMITS, after(seconds)) == pytest.approx(rate)


@pytest.mark.parametrize(("seconds", "rate"), [(0, 1000), (G, 1000), (G + 30, 550), (G + 60, 100), (999, 100)])
def test_what_nobody_makes_use_of_falls_as_slowly_as_it_rose(seconds: float, rate: float) -> None:
    assert FULL.rate(LIMITS, after(seconds)) == pytest.approx(rate)


@pytest.mark.parametrize(("used", "rate"), [(0.4, 100), (0.5, 100), (0.6, 300), (0.75, 600)])
def test_it_rises_in_the_time_of_use_and_falls_in_between(used: float, rate: float) -> None:
    pace = Pace().busy(LIMITS, NOON, used)
    for number in range(1, 68):
        pace = pace.busy(LIMITS, after(number), used)
    assert pace.rate(LIMITS, after(67)) == pytest.approx(rate, abs=10)


def test_a_ramp_that_rose_for_longer_than_it_is_long_falls_from_its_top() -> None:
    """As an older release left it, or a longer ramp."""
    pace = Pace(busy_since=after(-864_000), busy_at=NOON)
    assert pace.rate(LIMITS, NOON) == pytest.approx(1000)
    assert pace.rate(LIMITS, after(3600)) == pytest.approx(100)
    begun = pace.busy(LIMITS, after(3600), 0.5)
    assert begun.rate(LIMITS, after(3600)) == pytest.approx(100)


def test_several_workers_raise_it_no_faster_than_one() -> None:
    pace = Pace()
    for number in range(301):
        pace = pace.busy(LIMITS, after(0.1 * number), 0.5)
    assert pace.rate(LIMITS, after(30)) == pytest.approx(550)


def test_a_report_that_comes_late_counts_no_time_twice() -> None:
    pace = ramped(30)
    assert pace.busy(LIMITS, after(29), 0.5) == pace


def test_a_clock_that_is_set_back_is_followed() -> None:
    pace = ramped(30).busy(LIMITS, after(-3600), 0.5)
    assert pace.rate(LIMITS, after(-3600)) == pytest.approx(550)
    assert pace.busy(LIMITS, after(-3599.5), 0.5).rate(LIMITS, after(-3599.5)) > 550


def test_before_anything_was_sent_the_rate_is_that_of_the_beginning() -> None:
    assert Pace().rate(LIMITS, NOON) == pytest.approx(100)


@pytest.mark.parametrize("pace", [Pace(), Pace().busy(Limits(1000.0, 0.0), NOON, 0.5), FULL])
def test_without_a_ramp_the_full_rate_holds_at_once(pace: Pace) -> None:
    assert pace.rate(Limits(rate=1000.0, ramp=0.0), NOON) == 1000


def test_a_refusal_halves_the_rate_which_recovers_within_a_minute() -> None:
    pace = FULL.throttled(NOON)
    rates = [replace(pace, busy_at=after(seconds)).rate(LIMITS, after(seconds)) for seconds in (0, 30, 60)]
    assert rates == pytest.approx([500, 750, 1000])
    assert [pace.throttle(after(seconds)) for seconds in (0, 30, 60, 999)] == pytest.approx([0.5, 0.75, 1, 1])


def test_refusals_within_five_seconds_count_as_one() -> None:
    once = FULL.throttled(NOON)
    assert once.throttled(after(4.9)) == once
    assert once.throttled(after(5)) != once


def test_the_next_refusal_halves_what_had_been_recovered_by_then() -> None:
    pace = replace(FULL.throttled(NOON).throttled(after(30)), busy_at=after(30))
    assert pace.rate(LIMITS, after(30)) == pytest.approx(375)


def test_refusals_never_leave_less_than_a_tenth() -> None:
    pace = FULL
    for number in range(20):
        pace = pace.throttled(after(5 * number))
    assert pace.throttle(after(95)) == pytest.approx(0.1)


def test_a_pause_ends_by_itself() -> None:
    pace = FULL.broken(Reason.UNAVAILABLE, NOON)
    assert pace.reason is Reason.UNAVAILABLE
    assert [pace.paused(after(seconds)) for seconds in (0, 9.9, 10)] == [True, True, False]
    assert not FULL.paused(NOON)


def test_pauses_in_a_row_become_longer_up_to_a_minute() -> None:
    pace, at, pauses = FULL, NOON, []
    for _ in range(20):
        pace = pace.broken(Reason.UNAVAILABLE, at)
        assert pace.paused_until is not None
        pauses.append((pace.paused_until - at).total_seconds())
        at = pace.paused_until
    assert pauses == [10, 20, 40, *[LAST_PAUSE.total_seconds()] * 17]


def test_a_running_pause_is_not_prolonged() -> None:
    pace = FULL.broken(Reason.UNAVAILABLE, NOON)
    assert pace.broken(Reason.CREDENTIAL_REFUSED, after(9)) == pace


def test_what_gets_through_ends_the_pause_and_the_next_one_is_short_again() -> None:
    broken = FULL.broken(Reason.UNAVAILABLE, NOON).broken(Reason.UNAVAILABLE, after(10))
    healed = broken.healed()
    assert healed == FULL
    assert healed.broken(Reason.UNAVAILABLE, after(11)).paused_until == after(21)


def test_a_row_of_pauses_is_as_old_as_its_first() -> None:
    pace = FULL.broken(Reason.UNAVAILABLE, NOON).broken(Reason.CREDENTIAL_REFUSED, after(10))
    assert (pace.paused_at, pace.reason) == (NOON, Reason.CREDENTIAL_REFUSED)
    assert pace.healed().broken(Reason.UNAVAILABLE, after(99)).paused_at == after(99)


def test_after_a_pause_one_prober_holds_all_others_off() -> None:
    broken = FULL.broken(Reason.UNAVAILABLE, NOON)
    assert broken.probed("one", after(9)) == broken
    probed = broken.probed("one", after(10))
    assert (probed.prober, probed.paused_until) == ("one", after(10) + PROBE)
    assert probed.probed("two", after(29)) == probed
    assert probed.probed("two", after(30)).prober == "two"


def test_a_probe_may_take_as_long_as_its_channel_needs_for_an_answer() -> None:
    broken = FULL.broken(Reason.UNAVAILABLE, NOON)
    probed = broken.probed("one", after(10), timedelta(seconds=90))
    assert probed.probed("two", after(99)) == probed
    assert probed.probed("two", after(100)).prober == "two"


def test_a_channel_that_works_is_not_probed() -> None:
    assert FULL.probed("one", NOON) == FULL


def test_only_the_prober_says_that_a_probe_was_in_vain() -> None:
    probed = FULL.broken(Reason.UNAVAILABLE, NOON).probed("one", after(10))
    for prober in (None, "two"):
        assert probed.broken(Reason.UNAVAILABLE, after(11), prober) == probed
    again = probed.broken(Reason.CREDENTIAL_REFUSED, after(11), "one")
    assert (again.paused_until, again.reason, again.prober, again.failures) == (
        after(31),
        Reason.CREDENTIAL_REFUSED,
        None,
        2,
    )


def test_a_probe_with_nothing_to_send_makes_room_for_the_next() -> None:
    broken = FULL.broken(Reason.UNAVAILABLE, NOON)
    probed = broken.probed("one", after(10))
    assert probed.unprobed("two", after(11)) == probed
    free = probed.unprobed("one", after(11))
    assert not free.paused(after(11))
    assert free.probed("two", after(11)).prober == "two"
    assert free.paused_at == NOON


def test_a_channel_is_paused_until_something_got_through() -> None:
    pace = FULL.throttled(after(-60)).broken(Reason.UNAVAILABLE, NOON)
    assert [pace.condition(after(seconds)) for seconds in (0, 9, 10, 999)] == [Condition.PAUSED] * 4
    assert pace.probed("one", after(10)).condition(after(10)) is Condition.PAUSED
    assert pace.healed().condition(after(11)) is Condition.WORKING


def test_a_channel_is_throttled_until_it_has_recovered() -> None:
    pace = FULL.throttled(NOON)
    assert [pace.condition(after(seconds)) for seconds in (0, 59, 60)] == [
        Condition.THROTTLED,
        Condition.THROTTLED,
        Condition.WORKING,
    ]
    assert Pace().condition(NOON) is Condition.WORKING


def test_sends_pauses_and_refusals_do_not_disturb_one_another() -> None:
    pace = FULL.throttled(NOON).broken(Reason.UNAVAILABLE, after(1)).busy(LIMITS, after(2), 2.0).healed()
    assert pace == replace(FULL.throttled(NOON), busy_since=after(-58), busy_at=after(2))


steps = st.lists(
    st.tuples(st.sampled_from(["busy", "throttled", "broken", "healed", "probed"]), st.floats(0, 200)),
    min_size=1,
    max_size=30,
)


@given(steps, st.floats(0, 600))
def test_the_rate_never_leaves_its_bounds(steps: list[tuple[str, float]], ramp: float) -> None:
    pace, passed, limits = Pace(), 0.0, Limits(1000.0, ramp)
    for step, seconds in steps:
        passed += seconds
        at = after(passed)
        match step:
            case "busy":
                pace = pace.busy(limits, at, 0.5)
            case "throttled":
                pace = pace.throttled(at)
            case "broken":
                pace = pace.broken(Reason.UNAVAILABLE, at)
            case "probed":
                pace = pace.probed("one", at)
            case _:
                pace = pace.healed()
        assert not pace.paused(at) or pace.condition(at) is Condition.PAUSED
        rate = pace.rate(limits, at)
        assert rate + 1e-6 >= 1000 * START
        assert rate <= 1000
