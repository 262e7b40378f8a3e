"""Periods of time that statistics are asked for: whole quarters of an hour, in UTC."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

QUARTER = timedelta(minutes=15)  # every time zone of today is whole quarters of an hour away from UTC
_DEFAULT_DAYS = 30


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` to `end`, without `end`; both in UTC, and at the beginning of a quarter of an hour."""

    start: datetime
    end: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.start <= at < self.end


def floor(at: datetime) -> datetime:
    """The beginning of the quarter that `at` is in, in UTC."""
    utc = at.astimezone(UTC)
    return utc.replace(minute=utc.minute // 15 * 15, second=0, microsecond=0)


def ceiling(at: datetime) -> datetime:
    """The beginning of the next quarter; `at` itself where it is one."""
    start = floor(at)
    return start if start == at else start + QUARTER


def period(start: datetime | None, end: datetime | None, zone: tzinfo, now: datetime) -> Period:
    """The period of whole quarters that holds `start` to `end`; by default the last 30 days, today among them.

    Where `start` is not before `end`, it is empty or ends before it starts: the caller refuses that.
    """
    last = ceiling(now + timedelta(microseconds=1) if end is None else end)
    if start is None:
        today = (last - timedelta(microseconds=1)).astimezone(zone).date()
        start = midnight(today - timedelta(days=_DEFAULT_DAYS - 1), zone)
    return Period(floor(start), last)


def previous(current: Period, zone: tzinfo) -> Period:
    """The period before: as many months where `current` is whole months of `zone`, else days, else as long a time."""
    start, end = current.start.astimezone(zone), current.end.astimezone(zone)
    if _is_midnight(current.start, zone) and _is_midnight(current.end, zone):
        if start.day == end.day == 1:
            months = (end.year - start.year) * 12 + end.month - start.month
            return Period(midnight(_months_before(start.date(), months), zone), current.start)
        return Period(midnight(start.date() - (end.date() - start.date()), zone), current.start)
    return Period(current.start - (current.end - current.start), current.start)


def midnight(day: date, zone: tzinfo) -> datetime:
    """The first quarter of an hour of this day in `zone`, in UTC, also where there is no midnight or are two."""
    start = floor(datetime(day.year, day.month, day.day, tzinfo=zone))  # the earlier one of two
    while (start - QUARTER).astimezone(zone).date() >= day:
        start -= QUARTER
    return start


def day_start(day: date) -> datetime:
    """When this day begins in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def days(first: date, end: date) -> Iterator[date]:
    """Each day from `first` on, without `end`."""
    return (first + timedelta(days=number) for number in range((end - first).days))


def next_month(day: date) -> date:
    """The first day of the month after that of `day`."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _is_midnight(at: datetime, zone: tzinfo) -> bool:
    return midnight(at.astimezone(zone).date(), zone) == at


def _months_before(day: date, months: int) -> date:
    """The first day of the month so many months before that of `day`."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, 1)
