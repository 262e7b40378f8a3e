from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_server.domain.pace import IDLE, LAST_PAUSE, START, Limits, Pace
from notify_server.domain.registry import Reason
from tests.builders import NOON, after

LIMITS = Limits(rate=1000.0, ramp=60.0)
FULL = Pace(busy_since=after(-3600), busy_at=NOON)


@pytest.mark.parametrize(("seconds", "rate"), [(0, 100), (30, 550), (60, 1000), (600, 1000), (-5, 100)])
def test_the_rate_rises_evenly_from_a_tenth_to_the_full_one(seconds: float, rate: float) -> None:
    assert Pace(busy_since=NOON).rate(LIMITS, after(seconds)) == pytest.approx(rate)


def test_before_anything_was_sent_the_rate_is_that_of_the_beginning() -> None:
    assert Pace().rate(LIMITS, NOON) == pytest.approx(100)


@pytest.mark.parametrize("pace", [Pace(), Pace(busy_since=NOON), FULL])
def test_without_a_ramp_the_full_rate_holds_at_once(pace: Pace) -> None:
    assert pace.rate(Limits(rate=1000.0, ramp=0.0), NOON) == 1000


def test_a_ramp_goes_on_while_sends_do_and_begins_anew_after_an_idle_time() -> None:
    begun = Pace().busy(NOON)
    assert (begun.busy_since, begun.busy_at) == (NOON, NOON)
    on = begun.busy(NOON + IDLE)
    assert (on.busy_since, on.busy_at) == (NOON, NOON + IDLE)
    again = on.busy(after(121))
    assert (again.busy_since, again.busy_at) == (after(121), after(121))


def test_a_refusal_halves_the_rate_which_recovers_within_a_minute() -> None:
    pace = FULL.throttled(NOON)
    rates = [pace.rate(LIMITS, after(seconds)) for seconds in (0, 30, 60, 999)]
    assert rates == pytest.approx([500, 750, 1000, 1000])


def test_refusals_within_five_seconds_count_as_one() -> None:
    once = FULL.throttled(NOON)
    assert once.throttled(after(4.9)) == once
    assert once.throttled(after(5)) != once


def test_the_next_refusal_halves_what_had_been_recovered_by_then() -> None:
    pace = FULL.throttled(NOON).throttled(after(30))
    assert pace.rate(LIMITS, after(30)) == pytest.approx(375)


def test_refusals_never_leave_less_than_a_tenth() -> None:
    pace = FULL
    for number in range(20):
        pace = pace.throttled(after(5 * number))
    assert pace.rate(LIMITS, after(95)) == pytest.approx(100)


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


def test_sends_pauses_and_refusals_do_not_disturb_one_another() -> None:
    pace = FULL.throttled(NOON).broken(Reason.UNAVAILABLE, after(1)).busy(after(2)).healed()
    assert pace == replace(FULL.throttled(NOON), busy_at=after(2))


steps = st.lists(
    st.tuples(st.sampled_from(["busy", "throttled", "broken", "healed"]), st.floats(0, 200)), min_size=1, max_size=30
)


@given(steps, st.floats(0, 600))
def test_the_rate_never_leaves_its_bounds(steps: list[tuple[str, float]], ramp: float) -> None:
    pace, passed = Pace(), 0.0
    for step, seconds in steps:
        passed += seconds
        at = after(passed)
        match step:
            case "busy":
                pace = pace.busy(at)
            case "throttled":
                pace = pace.throttled(at)
            case "broken":
                pace = pace.broken(Reason.UNAVAILABLE, at)
            case _:
                pace = pace.healed()
        rate = pace.rate(Limits(1000.0, ramp), at)
        assert rate + 1e-6 >= 1000 * START
        assert rate <= 1000
