"""Tallies: steps of time, names, sums and quantiles."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_server.domain.periods import floor
from notify_server.domain.registry import Reason, Status
from notify_server.domain.tally import (
    Fate,
    difference,
    end_of_step,
    is_status,
    is_time,
    names,
    quantile,
    quarter,
    quarter_start,
    seconds,
    step,
    step_of,
    total,
)

AT = datetime(2026, 11, 26, 13, 44, 59, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
TALLIES = st.dictionaries(st.sampled_from(["sent", "read", "read@5"]), st.integers(-5, 5))


@given(st.integers(0, 10**11))
def test_a_step_is_right_to_one_part_in_128(milliseconds: int) -> None:
    middle = seconds(step(milliseconds * MILLISECOND)) * 1000
    assert abs(middle - milliseconds) <= milliseconds / 128


@given(st.integers(0, 10**11))
def test_steps_rise_by_one(milliseconds: int) -> None:
    assert step((milliseconds + 1) * MILLISECOND) - step(milliseconds * MILLISECOND) in (0, 1)


@given(st.integers(0, 10**11))
def test_a_step_ends_where_the_next_one_begins(milliseconds: int) -> None:
    number = step(milliseconds * MILLISECOND)
    end = round(end_of_step(number) * 1000)
    assert milliseconds < end
    assert (step((end - 1) * MILLISECOND), step(end * MILLISECOND)) == (number, number + 1)


def test_what_was_received_before_it_was_entered_took_no_time() -> None:
    assert step(-timedelta(hours=1)) == 0


def test_an_entry_counts_for_its_status_its_reason_and_its_times() -> None:
    failed = Fate(Status.FAILED, Reason.UNREGISTERED, AT, None, None)
    read = Fate(Status.READ, None, AT, AT + 50 * MILLISECOND, AT + 100 * MILLISECOND)
    assert list(names(failed)) == ["failed", "failed:unregistered"]
    assert list(names(read)) == ["read", "received@50", "read@100"]
    mailed = Fate(Status.SENT, None, AT, None, None, {"email/sent"})
    assert list(names(mailed)) == ["sent", "email/sent", "beside/sent"]


@given(TALLIES, TALLIES)
def test_a_difference_makes_the_new_out_of_the_old(new: dict[str, int], old: dict[str, int]) -> None:
    assert total((old, difference(new, old))) == total((new,))


def test_the_sum_leaves_out_what_adds_up_to_nothing() -> None:
    assert total(({"sent": 2, "read": 1}, {"sent": -2, "read": 1})) == {"read": 2}


@pytest.mark.parametrize(("share", "expected"), [(0.5, 0.002), (0.9, 0.1), (1.0, 0.1)])
def test_quantiles_go_by_the_steps(share: float, expected: float) -> None:
    tally = {"received@1": 2, "received@2": 4, "received@100": 3, "read@1": 1000, "received": 7}
    assert quantile(tally, "received", share) == expected


def test_of_nobody_there_is_no_quantile() -> None:
    assert quantile({"read@5": 1, "received@7": 0}, "received", 0.5) is None


def test_quarters_of_an_hour_are_numbered_from_midnight() -> None:
    day = AT.replace(hour=0, minute=0, second=0)
    assert quarter(AT) == 54
    assert quarter_start(day, 54) == AT.replace(minute=30, second=0)
    assert quarter(day + timedelta(days=1) - MILLISECOND) == 95
    assert floor(AT) == AT.replace(minute=30, second=0) == quarter_start(day, quarter(AT))


def test_names_are_told_apart() -> None:
    told = ("sent", "failed:unregistered", "read@5", "email/sent")
    assert [is_status(name) for name in told] == [True, False, False, False]
    assert [is_time(name) for name in told] == [False, False, True, False]


def test_a_step_of_milliseconds_is_that_of_the_time() -> None:
    assert [step_of(number) for number in (-5, 0, 7, 12_345)] == [
        step(number * MILLISECOND) for number in (-5, 0, 7, 12_345)
    ]
