"""The pace after any history of sends, refusals and pauses."""

from hypothesis import given, settings
from hypothesis import strategies as st

from notify_server.domain.pace import GRACE, LAST_PAUSE, START, Limits, Pace
from notify_server.domain.registry import Reason
from tests.builders import after

TOLERANCE = 1e-9
_LIMITS = Limits(rate=1000.0, ramp=60.0)
_STEPS = ("busy", "throttled", "unavailable", "refused", "healed")

moments = st.floats(0, 300).map(lambda seconds: round(seconds, 3))
limits = st.builds(Limits, rate=st.floats(1, 1e6), ramp=st.sampled_from([0.0, 1.0, 60.0, 600.0]))


@st.composite
def histories(draw: st.DrawFn) -> tuple[Pace, float]:
    """A pace after some steps, and how many seconds after NOON the last of them was."""
    pace, passed = Pace(), 0.0
    for step, seconds in draw(st.lists(st.tuples(st.sampled_from(_STEPS), moments), max_size=12)):
        passed += seconds
        pace = _taken(pace, step, passed)
    return pace, passed


def _taken(pace: Pace, step: str, passed: float) -> Pace:
    match step:
        case "busy":
            return pace.busy(_LIMITS, after(passed), 0.5)
        case "throttled":
            return pace.throttled(after(passed))
        case "unavailable":
            return pace.broken(Reason.UNAVAILABLE, after(passed))
        case "refused":
            return pace.broken(Reason.CREDENTIAL_REFUSED, after(passed))
    return pace.healed()


@settings(deadline=None)
@given(histories(), limits, moments, moments)
def test_while_sends_go_on_the_rate_never_falls_and_never_exceeds_the_limit(
    history: tuple[Pace, float], limits: Limits, sooner: float, later: float
) -> None:
    pace, passed = history
    one, other = after(passed + sooner), after(passed + sooner + later)
    sending = pace.busy(limits, one, 0.5)
    first = sending.rate(limits, one)
    assert limits.rate * START * (1 - TOLERANCE) <= first <= limits.rate
    assert sending.throttle(one) <= sending.throttle(other) <= 1
    if other - one <= GRACE:
        assert first <= sending.rate(limits, other) * (1 + TOLERANCE) <= limits.rate * (1 + 2 * TOLERANCE)


@settings(deadline=None)
@given(histories(), limits, moments, moments)
def test_a_refusal_never_raises_the_rate_now_or_later(
    history: tuple[Pace, float], limits: Limits, wait: float, later: float
) -> None:
    pace, passed = history
    throttled = pace.throttled(after(passed + wait))
    at = after(passed + wait + later)
    assert throttled.rate(limits, at) <= pace.rate(limits, at) * (1 + TOLERANCE)


@settings(deadline=None)
@given(histories(), limits, moments)
def test_a_rate_that_was_throttled_is_back_within_a_minute(
    history: tuple[Pace, float], limits: Limits, wait: float
) -> None:
    pace, passed = history
    at = passed + wait
    untouched = Pace(busy_since=pace.busy_since, busy_at=pace.busy_at)
    expected = untouched.rate(limits, after(at + 60))
    assert pace.throttled(after(at)).rate(limits, after(at + 60)) >= expected * (1 - TOLERANCE)


@settings(deadline=None)
@given(histories(), limits, moments)
def test_saying_that_sends_happen_is_a_small_step_up(history: tuple[Pace, float], limits: Limits, wait: float) -> None:
    pace, passed = history
    now = after(passed + wait)
    step = (1 - START) * min(1.0, 0.5 / limits.ramp) if limits.ramp else 0.0
    busy = pace.busy(limits, now, 0.5)
    assert busy.rate(limits, now) <= (pace.rate(limits, now) + limits.rate * step) * (1 + TOLERANCE)
    assert busy.busy(limits, now, 0.5) == busy


@settings(deadline=None)
@given(histories(), moments, st.sampled_from([Reason.UNAVAILABLE, Reason.CREDENTIAL_REFUSED]))
def test_a_pause_has_a_reason_and_ends_within_a_minute(
    history: tuple[Pace, float], wait: float, reason: Reason
) -> None:
    pace, passed = history
    now = after(passed + wait)
    broken = pace.broken(reason, now)
    assert broken.paused(now)
    assert broken.reason is not None
    assert not broken.paused(now + LAST_PAUSE)
    assert not broken.healed().paused(now)
