"""Which roll-ups add up to a period: whole months and days of UTC, and quarters of an hour at its edges."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from notify_server.domain.periods import QUARTER, Period, day_start, floor, next_month

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

    def runs(self) -> Iterator[tuple[Grain, Period]]:
        """Each of them, and from when to when it is."""
        for grain, found in ((Grain.MONTH, self.months), (Grain.DAY, self.days)):
            yield from ((grain, Period(day_start(first), day_start(last) + _DAY)) for first, last in found)
        yield from ((Grain.QUARTER, edge) for edge in self.edges)


def cover(period: Period) -> Coverage:
    """What adds up to `period`, with months where there are whole ones."""
    found = Coverage()
    first, last = day_start(period.start.date()), day_start(period.end.date())
    if first != period.start:
        first += _DAY
        found.edges.append(Period(period.start, min(first, period.end)))
    if first < last:
        _cover_days(found, first.date(), last.date())
    if max(first, last) < period.end:
        found.edges.append(Period(max(first, last), period.end))
    return found


def reach(period: Period, now: datetime) -> Period:
    """What to read of roll-ups for `period`: where it is not over, as nothing is entered later than now, to the end of
    the month of its end. So the present day and month need not be taken apart.
    """
    if period.end <= floor(now):
        return period
    last = (period.end - QUARTER).date()
    return Period(period.start, day_start(next_month(last)))


def grain(starts: Iterable[datetime]) -> Grain:
    """The coarsest grain at which none of these times lies within a roll-up."""
    found = Grain.MONTH
    for start in starts:
        if start != day_start(start.date()):
            return Grain.QUARTER
        if start.day != 1:
            found = Grain.DAY
    return found


@dataclass(frozen=True, slots=True)
class Cut:
    """A day that is not within one point of a series: it counts at `anchor`, but for its quarters from `first` on and
    before `end`, which count where they are.
    """

    anchor: datetime
    first: datetime
    end: datetime

    def __contains__(self, quarter: datetime) -> bool:
        return self.first <= quarter < self.end


def cuts(period: Period, starts: Iterable[datetime]) -> Mapping[date, Cut]:
    """The days that `starts`, or the period's ends, cut: as few quarters as may be count apart."""
    inside: dict[date, list[datetime]] = {}
    for start in (*starts, period.start, period.end):
        if start != day_start(start.date()):
            inside.setdefault(start.date(), []).append(start)
    return {day: _cut(day_start(day), min(times), max(times), period) for day, times in inside.items()}


def _cut(day: datetime, first: datetime, last: datetime, period: Period) -> Cut:
    """The day counts at its beginning, and what is after `first` apart; or at its end, and what is before `last`."""
    end = day + _DAY
    begins, ends = period.start <= day, end <= period.end
    if begins and (not ends or end - first <= last - day):
        return Cut(day, first, end)
    return Cut(end - QUARTER, day, last) if ends else Cut(period.start, day, end)


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
