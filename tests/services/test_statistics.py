"""How a report is made of tallies; tests/services/test_figures.py holds reports against recounts."""

from datetime import UTC, datetime, timedelta

import pytest

from notify_server.domain.intervals import Interval
from notify_server.domain.periods import Period
from notify_server.errors import InvalidInput
from notify_server.services.statistics import MOST_BUCKETS, Counted, Question, report

START = datetime(2026, 11, 25, tzinfo=UTC)
HOUR = timedelta(hours=1)
ENTERED = [
    (START - HOUR, {"read": 7}),
    (START, {"sent": 2, "failed": 1, "failed:unregistered": 1}),
    (START + HOUR, {"read": 3, "received@50": 3, "read@90": 3}),
    (START + 24 * HOUR, {"read": 100}),
]


def test_what_lies_in_the_period_is_added_up_and_divided() -> None:
    asked = Question(interval=Interval.HOUR, compare=True)
    found = report(asked, Period(START, START + 24 * HOUR), Counted(ENTERED), START)
    assert (found.totals["recipients"], found.totals["read"], found.totals["median_seconds_to_read"]) == (6, 3, 0.09)
    assert [row["recipients"] for row in found.series] == [3, 3, *[0] * 22]
    assert found.reasons == [{"status": "failed", "reason": "unregistered", "count": 1}]
    assert found.previous is not None
    assert found.previous.totals["read"] == 7
    assert found.as_of == START


def test_a_period_has_as_many_points_as_can_be_looked_at() -> None:
    long = timedelta(hours=MOST_BUCKETS - 1)
    asked = Question(START, START + long, Interval.HOUR)
    assert asked.period(START) == Period(START, START + long)
    with pytest.raises(InvalidInput, match="interval"):
        Question(START, START + long + HOUR, Interval.HOUR).period(START)


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(InvalidInput, match="to"):
        Question(START, START).period(START)
    assert Question(START, START + timedelta(seconds=1)).period(START).end == START + HOUR / 4
