"""What the roll-ups do not hold yet: notifications that the journal names, counted for one answer where few."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from notify_server.domain.statistics import Dimension, Kind, Labels, Part, canonical, change
from notify_server.services.clock import Clock
from notify_server.storage.changes import Changes
from notify_server.storage.recount import Recount
from notify_server.storage.snapshots import Snapshot
from notify_server.storage.standings import Standing, Standings
from notify_server.storage.subjects import Subject, Subjects
from notify_server.storage.tallies import Tallies

MOST_ENTRIES = 20_000  # that are counted for one answer: a tenth of a second
MOST_NOTIFICATIONS = 2_000  # that are looked at
MOST_MARKS = 1_000  # that are read: the journal is as long as its counting is late


@dataclass(frozen=True, slots=True)
class Late:
    """What has to be added to the roll-ups, so that they hold everything until `as_of`."""

    gained: Sequence[tuple[Labels, Part]]
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Stores:
    """The journal, and what is counted anew and held against what was."""

    changes: Changes
    standings: Standings
    subjects: Subjects
    recount: Recount
    tallies: Tallies


class Uncounted:
    """Looks into the journal, and writes nothing."""

    def __init__(self, stores: Stores, clock: Clock) -> None:
        self._stores = stores
        self._clock = clock

    def of(self, dimension: Dimension, session: Snapshot) -> Late:
        """What is late of the notifications that may count towards `dimension`.

        Small ones are counted; `as_of` is that of the others, and of all where there are many.
        """
        now = self._clock()
        marked, unread = self._marked(session)
        if unread is not None:
            return Late([], min(now, unread))
        if len(marked) > MOST_NOTIFICATIONS:
            return Late([], min(now, *marked.values()))
        found = [each for each in self._stores.standings.of(list(marked), session) if concerns(each, dimension)]
        small = _small(found)
        gained = self._gained(sorted(small), session)
        return Late(gained, min((marked[each.id] for each in found if each.id not in small), default=now))

    def parts(self, notification: str, recipients: int, session: Snapshot) -> tuple[list[Part], datetime]:
        """The parts of one notification, counted now if it is marked and small, and until when they hold everything."""
        now = self._clock()
        marked, unread = self._marked(session)
        since = marked.get(notification, unread)
        if since is not None and recipients <= MOST_ENTRIES:
            return [part for _, new in self._counted([notification], session) for part in new], now
        return self._stores.tallies.parts(notification, session), now if since is None else min(since, now)

    def _marked(self, session: Snapshot) -> tuple[dict[str, datetime], datetime | None]:
        """Since when entries of which notifications may have changed; and since when those of any others may have.

        None: of no others. The oldest marks are read, and the rest is as old at most.
        """
        marks = self._stores.changes.marks(MOST_MARKS + 1, session)
        since: dict[str, datetime] = {}
        for mark in marks:
            for notification in mark.notifications:
                since[notification] = min(mark.at, since.get(notification, mark.at))
        return since, min(mark.at for mark in marks) if len(marks) > MOST_MARKS else None

    def _gained(self, notifications: Sequence[str], session: Snapshot) -> list[tuple[Labels, Part]]:
        old = self._stores.tallies.of(notifications, session)
        return [
            (subject.labels, part)
            for subject, new in self._counted(notifications, session)
            for part in change(new, (part for chunk in old[subject.id] for part in chunk.parts))
        ]

    def _counted(self, notifications: Sequence[str], session: Snapshot) -> list[tuple[Subject, list[Part]]]:
        """The parts of these notifications as they are now, those of erased people too; without retired ones."""
        subjects = self._stores.subjects.of(notifications, session)
        new = self._stores.recount.of(list(subjects), session)
        return [(subject, [*new[subject.id], *subject.erased]) for subject in subjects.values()]


def concerns(standing: Standing, dimension: Dimension) -> bool:
    """Whether entries of a notification may count towards `dimension`."""
    kept = canonical(dimension)
    if kept is None:
        return False
    groups = standing.groups if kept.kind is Kind.GROUP else (None,)
    return any(kept in standing.labels.dimensions(group) for group in groups)


def counting_towards(dimension: Dimension, gained: Iterable[tuple[Labels, Part]]) -> list[Part]:
    """Those of `gained` that count towards `dimension`."""
    kept = canonical(dimension)
    return [] if kept is None else [part for labels, part in gained if kept in labels.dimensions(part.group)]


def _small(found: Sequence[Standing]) -> set[str]:
    """As many as may be counted for one answer, the smallest first."""
    small, left = set[str](), MOST_ENTRIES
    for standing in sorted(found, key=lambda each: each.recipients):
        left -= standing.recipients
        if left < 0:
            break
        small.add(standing.id)
    return small
