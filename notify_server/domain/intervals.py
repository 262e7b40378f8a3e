"""The series of a period: the hours, days, weeks or months of a time zone, daylight saving and all."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone, tzinfo
from enum import StrEnum

from notify_server.domain.periods import QUARTER, Period, floor, midnight, next_month

_HOUR = timedelta(hours=1)


class Interval(StrEnum):
    """How a series is divided."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"  # of ISO 8601: from Monday on
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Bucket(Period):
    """One point of a series; `name` is that of the hour, day, week or month, of which it may be a part."""

    name: str


def buckets(period: Period, interval: Interval, zone: tzinfo) -> Iterator[Bucket]:
    """The intervals of `zone` that `period` touches, in order, without gaps; the first and the last may be cut."""
    start, following = period.start, _FOLLOWING[interval]
    while start < period.end:
        end = min(max(following(start, zone), start + QUARTER), period.end)
        yield Bucket(start, end, _NAMES[interval](start.astimezone(zone)))
        start = end


def _next_hour(at: datetime, zone: tzinfo) -> datetime:
    """Where the hour on the wall ends, or the clock on it is changed."""
    local = at.astimezone(zone)
    end = floor(at + _HOUR - timedelta(minutes=local.minute, seconds=local.second))
    if end.astimezone(zone).utcoffset() == local.utcoffset():
        return end
    while (end - QUARTER).astimezone(zone).utcoffset() != local.utcoffset():
        end -= QUARTER
    return end


def _next_day(at: datetime, zone: tzinfo) -> datetime:
    return _first_after(at, at.astimezone(zone).date() + timedelta(days=1), zone)


def _next_week(at: datetime, zone: tzinfo) -> datetime:
    day = at.astimezone(zone).date()
    return midnight(day + timedelta(days=7 - day.weekday()), zone)


def _next_month(at: datetime, zone: tzinfo) -> datetime:
    return midnight(next_month(at.astimezone(zone).date()), zone)


def _first_after(at: datetime, day: date, zone: tzinfo) -> datetime:
    """The beginning of `day`, or of the first later one where the zone has left `day` out."""
    while (start := midnight(day, zone)) <= at:
        day += timedelta(days=1)
    return start


def _hour_name(local: datetime) -> str:
    """With its offset: where clocks are put back, two hours have one time on the wall."""
    offset = timezone(local.utcoffset() or timedelta(0))
    return local.replace(minute=0, second=0, tzinfo=offset).isoformat(timespec="minutes")


def _week_name(local: datetime) -> str:
    year, week, _ = local.isocalendar()
    return f"{year}-W{week:02}"


_FOLLOWING: Mapping[Interval, Callable[[datetime, tzinfo], datetime]] = {
    Interval.HOUR: _next_hour,
    Interval.DAY: _next_day,
    Interval.WEEK: _next_week,
    Interval.MONTH: _next_month,
}
_NAMES: Mapping[Interval, Callable[[datetime], str]] = {
    Interval.HOUR: _hour_name,
    Interval.DAY: lambda local: local.date().isoformat(),
    Interval.WEEK: _week_name,
    Interval.MONTH: lambda local: f"{local:%Y-%m}",
}


def most(period: Period, interval: Interval) -> int:
    """How many buckets there are at most, give or take those that are cut and the hours at which clocks change."""
    shortest = {Interval.HOUR: _HOUR, Interval.DAY: timedelta(days=1), Interval.WEEK: timedelta(days=7)}
    return (period.end - period.start) // shortest.get(interval, timedelta(days=28)) + 1
