"""Top lists: which groups read most, which categories are muted most, and why what was sent did not arrive."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from notify_server.domain import measures
from notify_server.domain.coverage import Grain, cover, dates
from notify_server.domain.periods import Period
from notify_server.domain.registry import Reason, Status
from notify_server.domain.statistics import Dimension, Kind, Labels, Part
from notify_server.domain.tally import Tally, total
from notify_server.services.figures import Figures
from notify_server.services.recent import Recent
from notify_server.services.statistics import Question
from notify_server.services.uncounted import Uncounted
from notify_server.storage.audience_health import AudienceHealth
from notify_server.storage.rankings import Field, Rankings
from notify_server.storage.snapshots import Snapshots

_MUTED = f"{Status.SUPPRESSED.value}:{Reason.MUTED_CATEGORY.value}"


@dataclass(frozen=True, slots=True)
class TopList:
    """The rows of a top list, of what was entered in `period`; everything that happened until `as_of` is in it."""

    period: Period
    as_of: datetime
    rows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Choice:
    """At most `limit` rows, the highest first, or the `lowest`; of keys with `least` recipients or more."""

    limit: int
    lowest: bool = False
    least: int = 1


class TopLists:
    """Compares. Raises InvalidInput where the question has no answer."""

    def __init__(
        self, rankings: Rankings, health: AudienceHealth, uncounted: Uncounted, figures: Figures, snapshots: Snapshots
    ) -> None:
        self._rankings = rankings
        self._devices = Recent(lambda: list(health.devices()))
        self._mutes = Recent(health.mutes)
        self._uncounted = uncounted
        self._figures = figures
        self._snapshots = snapshots

    def groups(self, question: Question, choice: Choice) -> TopList:
        """Groups by read rate; those nobody of whom was addressed are left out."""
        [found] = self.group_lists(question, choice)
        return found

    def group_lists(self, question: Question, *choices: Choice) -> list[TopList]:
        """One such list for each choice, of what was read once."""
        period, as_of, sums = self._sums(Kind.GROUP, question, measures.STATUSES)
        rows = [{"group": group, **measures.counted(tally)} for group, tally in sums.items()]
        rated = [row for row in rows if row["read_rate"] is not None]
        enough = [[row for row in rated if row["recipients"] >= choice.least] for choice in choices]
        return [
            TopList(period, as_of, _chosen(found, choice, "read_rate", "recipients", "group"))
            for found, choice in zip(enough, choices, strict=True)
        ]

    def categories(self, question: Question, choice: Choice) -> TopList:
        """Categories by the number of users who have muted them now, with what was suppressed for it in the period."""
        period, as_of, sums = self._sums(Kind.CATEGORY, question, (*measures.STATUSES, _MUTED))
        mutes = self._mutes()
        rows = [
            {
                "category": category,
                "muted_by": mutes.get(category, 0),
                "recipients": sum(measures.counts(tally).values()),
                "suppressed": tally.get(_MUTED, 0),
            }
            for category in mutes.keys() | sums.keys()
            for tally in (sums.get(category, {}),)
        ]
        eligible = [row for row in rows if question.category in (None, row["category"])]
        return TopList(period, as_of, _chosen(eligible, choice, "muted_by", "suppressed", "category"))

    def reasons(self, question: Question, choice: Choice) -> TopList:
        """Why entries stand where they stand, the most frequent first."""
        period, as_of, whole = self._figures.whole(question)
        return TopList(period, as_of, measures.reasons(whole)[: choice.limit])

    def devices(self) -> Sequence[Mapping[str, Any]]:
        """Devices by platform: how many are active, how many are dead, and why: `reason` and `count`.

        As they were a moment ago, where there are so many that it takes time to count them.
        """
        platforms: dict[str, dict[str, Any]] = {}
        for platform, active, reason, count in self._devices():
            row = platforms.setdefault(platform, {"platform": platform, "active": 0, "dead": 0, "reasons": []})
            row["active" if active else "dead"] += count
            if not active:
                row["reasons"].append({"reason": reason, "count": count})
        for row in platforms.values():
            row["reasons"].sort(key=lambda found: (-found["count"], str(found["reason"])))
        return sorted(platforms.values(), key=lambda row: (-row["dead"], row["platform"]))

    def _sums(
        self, kind: Kind, question: Question, names: Sequence[str]
    ) -> tuple[Period, datetime, Mapping[str, Tally]]:
        """By key, what was entered in the period.

        Each run of months or days is read at a moment of its own, with what was late then: no snapshot is kept long.
        """
        period = self._figures.period(question)
        sums: dict[str, list[Tally]] = {}
        moments: list[datetime] = []
        for grain, run in cover(self._figures.reach(period)).runs():
            with self._snapshots.session() as session:
                late = self._uncounted.of(Dimension(Kind.ALL, category=question.category), session)
                field = Field(kind, question.category if kind is Kind.GROUP else None, session)
                for key, tally in (*self._stored(field, grain, run, names), *_gained(kind, late.gained, run)):
                    sums.setdefault(key, []).append(tally)
            moments.append(late.as_of)
        return period, min(moments), {key: whole for key, parts in sums.items() if (whole := total(parts))}

    def _stored(self, field: Field, grain: Grain, run: Period, names: Sequence[str]) -> Iterable[tuple[str, Tally]]:
        if grain is Grain.QUARTER:
            found = self._rankings.quarters(field, run.start.date(), *names)
            return ((key, tally) for key, at, tally in found if at in run)
        read = self._rankings.months if grain is Grain.MONTH else self._rankings.days
        return read(field, *dates(run), *names)


def _gained(kind: Kind, gained: Iterable[tuple[Labels, Part]], period: Period) -> Iterable[tuple[str, Tally]]:
    for labels, part in gained:
        key = part.group if kind is Kind.GROUP else labels.category
        if key is not None and part.quarter in period and (part.group is None or kind is Kind.GROUP):
            yield key, part.tally


def _chosen(rows: Iterable[Mapping[str, Any]], choice: Choice, *by: str) -> Sequence[Mapping[str, Any]]:
    """Ordered by the first two of `by`, numbers; what is equal in them by the third, a name."""
    sign = 1 if choice.lowest else -1
    ordered = sorted(rows, key=lambda row: (sign * row[by[0]], -row[by[1]], row[by[2]]))
    return ordered[: choice.limit]
