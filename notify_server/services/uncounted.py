"""What the roll-ups do not hold yet: notifications that the journal names, counted for one answer where few."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from notify_server.domain.notification import Notification
from notify_server.domain.statistics import Dimension, Kind, Labels, Part, canonical, change, community_of
from notify_server.services.clock import Clock
from notify_server.storage.changes import Changes
from notify_server.storage.notifications import Notifications
from notify_server.storage.recount import Recount
from notify_server.storage.snapshots import Snapshot
from notify_server.storage.subjects import Subject, Subjects
from notify_server.storage.tallies import Tallies

MOST_ENTRIES = 20_000  # that are counted for one answer: a tenth of a second
MOST_NOTIFICATIONS = 2_000

Concerns = Callable[[Notification], bool]


@dataclass(frozen=True, slots=True)
class Late:
    """What has to be added to the roll-ups, so that they hold everything until `as_of`."""

    gained: Sequence[tuple[Labels, Part]]
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Stores:
    """The journal, and what is counted anew and held against what was."""

    changes: Changes
    notifications: Notifications
    subjects: Subjects
    recount: Recount
    tallies: Tallies


class Uncounted:
    """Looks into the journal, and writes nothing."""

    def __init__(self, stores: Stores, clock: Clock) -> None:
        self._stores = stores
        self._clock = clock

    def of(self, concerns: Concerns, session: Snapshot) -> Late:
        """What is late of the notifications that it `concerns`; small ones are counted, `as_of` is of the others."""
        now = self._clock()
        marked = self._marked(session)
        found = [row for row in self._stores.notifications.standing(list(marked), session) if concerns(row[0])]
        small = _small(found)
        gained = self._gained(sorted(small), session)
        as_of = min((marked[each.id] for each, _ in found if each.id not in small), default=now)
        return Late(gained, min(as_of, now))

    def parts(self, notification: str, recipients: int, session: Snapshot) -> tuple[list[Part], datetime]:
        """The parts of one notification, counted now if it is marked and small, and until when they hold everything."""
        now = self._clock()
        since = self._marked(session).get(notification)
        if since is not None and recipients <= MOST_ENTRIES:
            return [part for _, new in self._counted([notification], session) for part in new], now
        return self._stores.tallies.parts(notification, session), now if since is None else min(since, now)

    def _marked(self, session: Snapshot) -> dict[str, datetime]:
        """Since when entries of which notifications may have changed."""
        since: dict[str, datetime] = {}
        for mark in self._stores.changes.marks(session=session):
            for notification in mark.notifications:
                since[notification] = min(mark.at, since.get(notification, mark.at))
        return since

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


def labels_of(notification: Notification) -> Labels:
    """What a notification counts towards."""
    return Labels(notification.category, community_of(notification.community, notification.audience.communities))


def concerning(dimension: Dimension) -> Concerns:
    """Whether entries of a notification may count towards `dimension`."""
    kept = canonical(dimension)

    def concerns(notification: Notification) -> bool:
        if kept is None:
            return False
        groups = [None, *notification.audience.groups] if kept.kind is Kind.GROUP else [None]
        return any(kept in labels_of(notification).dimensions(group) for group in groups)

    return concerns


def counting_towards(dimension: Dimension, gained: Iterable[tuple[Labels, Part]]) -> list[Part]:
    """Those of `gained` that count towards `dimension`."""
    kept = canonical(dimension)
    return [] if kept is None else [part for labels, part in gained if kept in labels.dimensions(part.group)]


def _small(found: Sequence[tuple[Notification, int]]) -> set[str]:
    """As many as may be counted for one answer, the smallest first."""
    small, left = set[str](), MOST_ENTRIES
    for notification, recipients in sorted(found, key=lambda row: row[1])[:MOST_NOTIFICATIONS]:
        left -= recipients
        if left < 0:
            break
        small.add(notification.id)
    return small
