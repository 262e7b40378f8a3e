import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_server.domain.rate import Rate

RATE = Rate(2.0, 4)


def taken(rate, times):
    """How many of the calls at `times` are allowed, from a bucket that is full."""
    full_at, allowed = 0.0, 0
    for now in times:
        standing = rate.take(full_at, now)
        full_at = standing.full_at
        allowed += standing.allowed
    return allowed


def test_a_burst_goes_through_and_what_is_left_counts_down():
    full_at, left = 0.0, []
    for _ in range(4):
        standing = RATE.take(full_at, 100.0)
        full_at = standing.full_at
        left.append(standing.left)
    assert left == [3, 2, 1, 0]
    assert standing.reset == pytest.approx(2.0)


def test_one_too_many_is_told_how_long_to_wait_and_costs_nothing():
    full_at = 102.0
    refused = RATE.take(full_at, 100.0)
    assert (refused.allowed, refused.left, refused.full_at) == (False, 0, full_at)
    assert refused.wait == pytest.approx(0.5)
    assert RATE.take(full_at, 100.0 + refused.wait).allowed


def test_a_bucket_never_holds_more_than_its_burst():
    assert taken(RATE, [0.0] * 10) == taken(RATE, [1e9] * 10) == 4


def test_a_window_is_what_fills_an_empty_bucket():
    assert (RATE.window, Rate(0.5, 1).window, Rate(20, 60).window, Rate(1e6, 1).window) == (2, 2, 3, 1)


def test_the_parts_of_a_rate_make_the_whole_but_none_is_nothing():
    assert Rate(20, 60).part(2) == Rate(10, 30)
    assert Rate(0.3, 1).part(4) == Rate(0.075, 1)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=60), st.sampled_from([0.5, 1.0, 3.0, 20.0]), st.integers(1, 20))
def test_never_more_than_the_burst_and_what_flows_in(pauses, per_second, burst):
    now, times = 0.0, []
    for pause in pauses:
        now += pause
        times.append(now)
    assert taken(Rate(per_second, burst), times) <= burst + (times[-1] - times[0]) * per_second + 1e-3


@given(st.integers(1, 50), st.sampled_from([0.5, 1.0, 3.0, 20.0]), st.integers(1, 20))
def test_who_keeps_to_the_rate_is_never_refused(calls, per_second, burst):
    assert taken(Rate(per_second, burst), [n / per_second for n in range(calls)]) == calls
