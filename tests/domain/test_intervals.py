"""Beside these: tests/services/test_figures.py divides random periods of many zones, and looks at every point."""

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from notify_server.domain.intervals import Interval, buckets, most
from notify_server.domain.periods import Period, floor


def names(start: str, end: str, interval: Interval, zone: str) -> list[str]:
    span = Period(*(floor(datetime.fromisoformat(text)) for text in (start, end)))
    found = list(buckets(span, interval, ZoneInfo(zone)))
    assert (found[0].start, found[-1].end) == (span.start, span.end)
    assert all(one.end == other.start for one, other in pairwise(found))
    assert len(found) <= most(span, interval) + 3
    return [bucket.name for bucket in found]


def test_the_first_and_the_last_may_be_cut() -> None:
    assert names("2026-11-25T10:15Z", "2026-11-27T00:15Z", Interval.DAY, "UTC") == [
        "2026-11-25",
        "2026-11-26",
        "2026-11-27",
    ]


def test_weeks_begin_on_monday_and_have_the_number_of_iso_8601() -> None:
    found = names("2026-12-27T00:00Z", "2027-01-12T00:00Z", Interval.WEEK, "UTC")
    assert found == ["2026-W52", "2026-W53", "2027-W01", "2027-W02"]


def test_months_are_those_of_the_zone() -> None:
    found = names("2026-10-31T23:00+13:45", "2026-12-01T00:15+13:45", Interval.MONTH, "Pacific/Chatham")
    assert found == ["2026-10", "2026-11", "2026-12"]


@pytest.mark.parametrize(
    ("start", "end", "zone", "count"),
    [
        ("2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00", "Europe/Vienna", 23),
        ("2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00", "Europe/Vienna", 25),
        ("2026-04-05T00:00+11:00", "2026-04-06T00:00+10:30", "Australia/Lord_Howe", 25),  # one is half an hour
        ("2026-10-04T00:00+10:30", "2026-10-05T00:00+11:00", "Australia/Lord_Howe", 24),
        ("2026-11-26T00:00+05:45", "2026-11-27T00:00+05:45", "Asia/Kathmandu", 24),
    ],
)
def test_hours_are_those_on_the_wall(start: str, end: str, zone: str, count: int) -> None:
    found = names(start, end, Interval.HOUR, zone)
    assert len(found) == len(set(found)) == count
    assert found[0].endswith("T00:00" + start[-6:])


def test_a_day_that_a_zone_has_left_out_is_left_out() -> None:
    found = names("2011-12-29T12:00-10:00", "2012-01-01T12:00+14:00", Interval.DAY, "Pacific/Apia")
    assert found == ["2011-12-29", "2011-12-31", "2012-01-01"]
