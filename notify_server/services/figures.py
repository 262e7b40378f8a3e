"""Figures of everything, and of one group, community, category, user or notification."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from notify_server.domain.coverage import reach
from notify_server.domain.funnel import curve, funnel
from notify_server.domain.notification import Notification
from notify_server.domain.periods import QUARTER, Period, floor, previous
from notify_server.domain.statistics import ALL, Dimension, Kind
from notify_server.domain.tally import Fate, Tally, names, total
from notify_server.errors import NotFound
from notify_server.services.clock import Clock
from notify_server.services.roll_ups import RollUps
from notify_server.services.statistics import Counted, Entered, Question, Report, report
from notify_server.services.uncounted import Uncounted, counting_towards
from notify_server.storage.known import Known
from notify_server.storage.notifications import Notifications
from notify_server.storage.snapshots import Snapshots
from notify_server.storage.standings import Standings
from notify_server.storage.statistics import Statistics
from notify_server.storage.user_fates import UserFates
from notify_server.storage.users import Users


@dataclass(frozen=True, slots=True)
class Course:
    """The figures of one notification: a report, its funnel, and its delivery curve."""

    report: Report
    funnel: Mapping[str, int]
    curve: Sequence[Mapping[str, Any]]

    @property
    def series(self) -> Sequence[Mapping[str, Any]]:
        """That of the report."""
        return self.report.series


@dataclass(frozen=True, slots=True)
class Stores:
    """Where figures and names are."""

    statistics: Statistics
    notifications: Notifications
    standings: Standings
    users: Users
    user_fates: UserFates
    known: Known
    snapshots: Snapshots


class Figures:
    """Answers questions of analysts. All of them raise InvalidInput where the question has no answer."""

    def __init__(self, stores: Stores, uncounted: Uncounted, clock: Clock) -> None:
        self._stores = stores
        self._uncounted = uncounted
        self._clock = clock

    def period(self, question: Question) -> Period:
        """The period that is asked for now."""
        return question.period(self._clock())

    def reach(self, period: Period) -> Period:
        """What to read of roll-ups for `period`."""
        return reach(period, self._clock())

    def overview(self, question: Question) -> Report:
        """Of every entry."""
        return self._rolled_up(ALL, question)

    def whole(self, question: Question) -> tuple[Period, datetime, Tally]:
        """The period of every entry, until when it is complete, and what its entries add up to: no series is read."""
        with self._reading(ALL, question) as (period, source, as_of):
            return period, as_of, total(source.whole(period))

    def group(self, group: str, question: Question) -> Report:
        """Of entries that were reached through an addressed group. Raises NotFound."""
        if not self._stores.known.group(group):
            raise NotFound(f"There is no group {group!r}.")
        return self._rolled_up(Dimension(Kind.GROUP, group), question)

    def community(self, community: str, question: Question) -> Report:
        """Of the notifications of a community. Raises NotFound."""
        if not self._stores.known.community(community):
            raise NotFound(f"There is no community {community!r}.")
        return self._rolled_up(Dimension(Kind.COMMUNITY, community), question)

    def category(self, category: str, question: Question) -> Report:
        """Of the notifications of a category; zeros where there were none, as categories are no objects."""
        return self._rolled_up(Dimension(Kind.CATEGORY, category), question)

    def user(self, user: str, question: Question) -> Report:
        """Of what one user was sent, counted from the registry. Raises NotFound."""
        now = self._clock()
        period = question.period(now)
        self._stores.users.get(user)
        read = Period(previous(period, question.zone).start, period.end) if question.compare else period
        fates = self._stores.user_fates.of(user, question.category, read)
        return report(question, period, Counted(_entered(fates)), now)

    def notification(self, notification: str, question: Question) -> Course:
        """Of one notification; by default from its acceptance until its last entry was made. Raises NotFound."""
        with self._stores.snapshots.session() as session:
            found, recipients = self._stores.notifications.get(notification, session)
            if not self._stores.standings.of([found.id], session):
                raise NotFound(f"There is no notification {found.id} any more.")  # retired, and being removed
            parts, as_of = self._uncounted.parts(found.id, recipients, session)
        whole = [(part.quarter, part.tally) for part in parts if part.group is None]
        if question.category not in (None, found.category):
            whole = []
        asked = _bounded(question, found, [at for at, _ in whole])
        period = asked.period(self._clock())
        told = total(Counted(whole).whole(period))
        return Course(report(asked, period, Counted(whole), as_of), funnel(told), curve(told))

    def _rolled_up(self, dimension: Dimension, question: Question) -> Report:
        with self._reading(dimension, question) as (period, source, as_of):
            return report(question, period, source, as_of)

    @contextmanager
    def _reading(self, dimension: Dimension, question: Question) -> Iterator[tuple[Period, RollUps, datetime]]:
        """The period that is asked for, its roll-ups for as long as this lasts, and until when they are complete."""
        now = self._clock()
        period = question.period(now)
        narrowed = replace(dimension, category=question.category)
        with self._stores.snapshots.session() as session:
            late = self._uncounted.of(narrowed, session)
            gained = [(part.quarter, part.tally) for part in counting_towards(narrowed, late.gained)]
            yield period, RollUps(self._stores.statistics, narrowed, session, now, gained), late.as_of


def _entered(fates: Iterable[Fate]) -> list[Entered]:
    """Tallies by the quarter of an hour in which entries were made."""
    tallies: dict[datetime, dict[str, int]] = {}
    for fate in fates:
        tally = tallies.setdefault(floor(fate.entered_at), {})
        for name in names(fate):
            tally[name] = tally.get(name, 0) + 1
    return list(tallies.items())


def _bounded(question: Question, notification: Notification, quarters: Sequence[datetime]) -> Question:
    """`question` with the bounds that it leaves open: around all entries."""
    first = min(quarters, default=notification.created_at)
    last = max(quarters, default=notification.created_at) + QUARTER
    start = question.start or min(first, (question.end or last) - QUARTER)
    return replace(question, start=start, end=question.end or max(last, start + QUARTER))
