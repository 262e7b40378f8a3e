"""Top lists: which groups read most, which categories are muted most, and why what was sent did not arrive."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from notify_server.domain import measures
from notify_server.domain.coverage import cover
from notify_server.domain.periods import Period
from notify_server.domain.registry import Reason, Status
from notify_server.domain.statistics import Dimension, Kind, Labels, Part
from notify_server.domain.tally import Tally, total
from notify_server.services.figures import Figures
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
        self._health = health
        self._uncounted = uncounted
        self._figures = figures
        self._snapshots = snapshots

    def groups(self, question: Question, choice: Choice) -> TopList:
        """Groups by read rate; those nobody of whom was addressed are left out."""
        period, as_of, sums = self._sums(Kind.GROUP, question, measures.STATUSES)
        rows = [{"group": group, **measures.counted(tally)} for group, tally in sums.items()]
        eligible = [row for row in rows if row["recipients"] >= choice.least and row["read_rate"] is not None]
        return TopList(period, as_of, _chosen(eligible, choice, "read_rate", "recipients", "group"))

    def categories(self, question: Question, choice: Choice) -> TopList:
        """Categories by the number of users who have muted them now, with what was suppressed for it in the period."""
        period, as_of, sums = self._sums(Kind.CATEGORY, question, (*measures.STATUSES, _MUTED))
        mutes = self._health.mutes()
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
        found = self._figures.overview(question)
        return TopList(found.period, found.as_of, found.reasons[: choice.limit])

    def devices(self) -> Sequence[Mapping[str, Any]]:
        """Devices by platform: how many are active, how many are dead, and why: `reason` and `count`."""
        platforms: dict[str, dict[str, Any]] = {}
        for platform, active, reason, count in self._health.devices():
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
        """By key, what was entered in the period."""
        period = self._figures.period(question)
        with self._snapshots.session() as session:
            late = self._uncounted.of(Dimension(Kind.ALL, category=question.category), session)
            field = Field(kind, question.category if kind is Kind.GROUP else None, session)
            found = [*self._stored(field, period, names), *_gained(kind, late.gained, period)]
        sums: dict[str, list[Tally]] = {}
        for key, tally in found:
            sums.setdefault(key, []).append(tally)
        return period, late.as_of, {key: whole for key, parts in sums.items() if (whole := total(parts))}

    def _stored(self, field: Field, period: Period, names: Sequence[str]) -> Iterable[tuple[str, Tally]]:
        covered = cover(period)
        for run in covered.months:
            yield from self._rankings.months(field, *run, *names)
        for run in covered.days:
            yield from self._rankings.days(field, *run, *names)
        for edge in covered.edges:
            found = self._rankings.quarters(field, edge.start.date(), *names)
            yield from ((key, tally) for key, at, tally in found if at in edge)


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
