"""Figures of what was entered in a period: totals, a series, the reasons, and the period before to compare with."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from notify_server.domain import measures
from notify_server.domain.by_channel import by_channel
from notify_server.domain.intervals import Bucket, Interval, buckets, most
from notify_server.domain.periods import Period, period, previous
from notify_server.domain.tally import Tally, total
from notify_server.errors import InvalidInput

MOST_BUCKETS = 10_000

Entered = tuple[datetime, Tally]  # what was entered from then on: for a quarter of an hour, a day or a month


@dataclass(frozen=True, slots=True)
class Question:
    """Which period, how divided, and in which time zone (IANA); narrowed to `category`, where it is set.

    `compare`: with the period before.
    """

    start: datetime | None = None
    end: datetime | None = None
    interval: Interval = Interval.DAY
    timezone: str = "UTC"
    category: str | None = None
    compare: bool = False

    def period(self, now: datetime) -> Period:
        """The period in whole quarters of an hour. Raises InvalidInput where it has none, or too many intervals."""
        found = period(self.start, self.end, self.zone, now)
        if found.start >= found.end:
            raise InvalidInput({"to": ["Must be later than from."]})
        if most(found, self.interval) > MOST_BUCKETS:
            raise InvalidInput({"interval": [f"The period has more than {MOST_BUCKETS:,} of these."]})
        return found

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.timezone)


@dataclass(frozen=True, slots=True)
class Before:
    """The period before, of which the totals are told."""

    period: Period
    totals: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Report:
    """The answer. Everything that happened until `as_of` is in it; `previous` where it was asked for."""

    period: Period
    interval: Interval
    timezone: str
    as_of: datetime
    totals: Mapping[str, Any]
    reasons: Sequence[Mapping[str, Any]]
    channels: Sequence[Mapping[str, Any]]
    series: Sequence[Mapping[str, Any]]
    previous: Before | None = None


class Source(Protocol):
    """Where tallies come from."""

    def whole(self, period: Period) -> Iterable[Tally]:
        """Tallies that add up to `period`, with the times that devices took."""

    def divided(self, period: Period, starts: Sequence[datetime]) -> Iterable[Entered]:
        """Counts by status that add up to those of `period` between each two of `starts`."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Tallies by quarter of an hour that are at hand."""

    entered: Sequence[Entered]

    def whole(self, period: Period) -> Iterable[Tally]:
        """As in Source."""
        return (tally for at, tally in self.entered if at in period)

    def divided(self, period: Period, starts: Sequence[datetime]) -> Iterable[Entered]:
        """As in Source."""
        return ((at, tally) for at, tally in self.entered if at in period)


def report(question: Question, period: Period, source: Source, as_of: datetime) -> Report:
    """What `source` says of `period`."""
    zone = question.zone
    whole = total(source.whole(period))
    before = previous(period, zone) if question.compare else None
    return Report(
        period=period,
        interval=question.interval,
        timezone=question.timezone,
        as_of=as_of,
        totals=measures.totals(whole),
        reasons=measures.reasons(whole),
        channels=by_channel(whole),
        series=_series(list(buckets(period, question.interval, zone)), period, source),
        previous=None if before is None else Before(before, measures.totals(total(source.whole(before)))),
    )


def _series(points: Sequence[Bucket], period: Period, source: Source) -> list[Mapping[str, Any]]:
    starts = [point.start for point in points]
    tallies: list[list[Tally]] = [[] for _ in points]
    for at, tally in source.divided(period, starts):
        tallies[bisect_right(starts, at) - 1].append(tally)
    return [
        {"at": point.start, "period": point.name, **measures.counted(total(found))}
        for point, found in zip(points, tallies, strict=True)
    ]
