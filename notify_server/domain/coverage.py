"""Which roll-ups add up to a period: whole months and days of UTC, and quarters of an hour at its edges."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from notify_server.domain.periods import Period, next_month

_DAY = timedelta(days=1)


class Grain(StrEnum):
    """How fine roll-ups have to be."""

    MONTH = "month"
    DAY = "day"
    QUARTER = "quarter"


@dataclass(frozen=True, slots=True)
class Coverage:
    """Runs of months and days, each with its first and last day (UTC), and parts of single days."""

    months: list[tuple[date, date]] = field(default_factory=list)
    days: list[tuple[date, date]] = field(default_factory=list)
    edges: list[Period] = field(default_factory=list)


def cover(period: Period) -> Coverage:
    """What adds up to `period`, with months where there are whole ones."""
    found = Coverage()
    first, last = _midnight(period.start.date()), _midnight(period.end.date())
    if first != period.start:
        first += _DAY
        found.edges.append(Period(period.start, min(first, period.end)))
    if first < last:
        _cover_days(found, first.date(), last.date())
    if max(first, last) < period.end:
        found.edges.append(Period(max(first, last), period.end))
    return found


def grain(starts: Iterable[datetime]) -> Grain:
    """The coarsest grain at which none of these times lies within a roll-up."""
    found = Grain.MONTH
    for start in starts:
        if start != _midnight(start.date()):
            return Grain.QUARTER
        if start.day != 1:
            found = Grain.DAY
    return found


def dates(period: Period) -> tuple[date, date]:
    """The first and the last day that `period` touches, in UTC."""
    return period.start.date(), (period.end - timedelta(microseconds=1)).date()


def _cover_days(found: Coverage, first: date, end: date) -> None:
    month = first if first.day == 1 else next_month(first)
    last = end.replace(day=1)
    if month >= last:
        found.days.append(_run(first, end))
        return
    runs: Sequence[tuple[list[tuple[date, date]], date, date]] = (
        (found.days, first, month),
        (found.months, month, last),
        (found.days, last, end),
    )
    for kept, begin, stop in runs:
        if begin < stop:
            kept.append(_run(begin, stop))


def _run(first: date, end: date) -> tuple[date, date]:
    return first, end - timedelta(days=1)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
