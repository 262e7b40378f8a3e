from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from notify_server.domain.periods import (
    QUARTER,
    Period,
    ceiling,
    day_start,
    days,
    floor,
    midnight,
    next_month,
    period,
    previous,
)

VIENNA, APIA = ZoneInfo("Europe/Vienna"), ZoneInfo("Pacific/Apia")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_period_holds_its_start_and_not_its_end() -> None:
    found = Period(at("2026-11-26T10:00Z"), at("2026-11-26T10:30Z"))
    assert [moment in found for moment in (found.start, found.end - QUARTER, found.end)] == [True, True, False]


@pytest.mark.parametrize(
    ("moment", "begin", "end"),
    [
        ("2026-11-26T10:07:30Z", "2026-11-26T10:00Z", "2026-11-26T10:15Z"),
        ("2026-11-26T10:15:00Z", "2026-11-26T10:15Z", "2026-11-26T10:15Z"),
        ("2026-11-26T23:59:59.999Z", "2026-11-26T23:45Z", "2026-11-27T00:00Z"),
        ("2026-11-26T05:50:00+05:45", "2026-11-26T00:00Z", "2026-11-26T00:15Z"),
    ],
)
def test_quarters_are_those_of_utc(moment: str, begin: str, end: str) -> None:
    assert (floor(at(moment)), ceiling(at(moment))) == (at(begin), at(end))
    assert floor(at(moment)).tzinfo is UTC


def test_by_default_a_period_ends_with_this_quarter_and_begins_twenty_nine_midnights_ago() -> None:
    found = period(None, None, VIENNA, at("2026-11-26T10:15:00Z"))
    assert found == Period(at("2026-10-28T00:00+01:00"), at("2026-11-26T10:30Z"))
    assert period(None, at("2026-11-26T00:00+01:00"), VIENNA, found.end).start == at("2026-10-27T00:00+01:00")
    assert period(at("2026-11-26T10:01Z"), None, VIENNA, at("2026-11-26T10:02Z")) == Period(
        at("2026-11-26T10:00Z"), at("2026-11-26T10:15Z")
    )


@pytest.mark.parametrize(
    ("start", "end", "before"),
    [
        ("2026-11-01T00:00+01:00", "2026-12-01T00:00+01:00", "2026-10-01T00:00+02:00"),
        ("2026-01-01T00:00+01:00", "2027-01-01T00:00+01:00", "2025-01-01T00:00+01:00"),
        ("2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00", "2026-03-28T00:00+01:00"),  # 23 hours
        ("2026-11-01T00:15+01:00", "2026-12-01T00:15+01:00", "2026-10-02T01:15+02:00"),
        ("2026-11-01T00:00+01:00", "2026-11-01T10:00+01:00", "2026-10-31T14:00+01:00"),
    ],
)
def test_the_period_before_is_alike_on_the_calendar(start: str, end: str, before: str) -> None:
    found = previous(Period(floor(at(start)), floor(at(end))), VIENNA)
    assert found == Period(at(before), at(start))


@pytest.mark.parametrize(
    ("zone", "day", "begin"),
    [
        ("Europe/Vienna", "2026-07-01", "2026-06-30T22:00Z"),
        ("Asia/Kathmandu", "2026-07-01", "2026-06-30T18:15Z"),
        ("America/Havana", "2026-03-08", "2026-03-08T05:00Z"),  # no midnight: the day begins at one
        ("America/Havana", "2026-11-01", "2026-11-01T04:00Z"),  # two: it begins with the first
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00Z"),  # the day before was left out
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00Z"),
    ],
)
def test_a_day_begins_where_its_zone_says(zone: str, day: str, begin: str) -> None:
    assert midnight(date.fromisoformat(day), ZoneInfo(zone)) == at(begin)


def test_days_and_months_go_on() -> None:
    assert list(days(date(2026, 2, 27), date(2026, 3, 1))) == [date(2026, 2, 27), date(2026, 2, 28)]
    assert list(days(date(2026, 2, 27), date(2026, 2, 27))) == []
    assert [next_month(day) for day in (date(2026, 1, 31), date(2026, 12, 1))] == [date(2026, 2, 1), date(2027, 1, 1)]
    assert timedelta(minutes=15) == QUARTER


def test_a_day_begins_in_utc() -> None:
    assert day_start(date(2026, 12, 1)) == datetime(2026, 12, 1, tzinfo=UTC)
