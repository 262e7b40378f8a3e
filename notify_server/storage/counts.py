"""Counting: tallies are replaced, and the roll-ups gain the difference, in one transaction.

Registry and old tally are read in the snapshot of that transaction. So a count may be repeated, and two may run at
once: of two that change the same tally one begins again, and then finds no difference.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from pymongo.client_session import ClientSession

from notify_server import failpoints
from notify_server.domain.statistics import Labels, Part, change
from notify_server.domain.tally import is_status
from notify_server.storage.changes import Changes
from notify_server.storage.database import translated
from notify_server.storage.documents import Store
from notify_server.storage.leases import Leases
from notify_server.storage.majority import in_snapshot
from notify_server.storage.recount import Recount
from notify_server.storage.statistics import ARCHIVE, Statistics
from notify_server.storage.subjects import Subject, Subjects
from notify_server.storage.tallies import ERASED, Chunk, Tallies

_Result = TypeVar("_Result")

LEASE = "counting"  # who has it may count; without it the figures stand still
SIZE = 20_000  # entries of a chunk
_BEREFT = 4  # chunks at most that are counted together with those who were erased: half a second
_MARKS = 20_000  # of the journal, and
_NAMES = 200_000  # what they name, that are looked through at most
_GROUPS = 20  # so many more addressed groups halve, third, … a chunk: each has parts of its own in it


@dataclass(frozen=True, slots=True)
class Counted:
    """How many entries were counted of which notifications; `chunked` ones have several chunks, and were left alone."""

    entries: Mapping[str, int] = field(default_factory=dict)
    chunked: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ChunkCounted:
    """How many entries a chunk has, and whether it is the last one."""

    entries: int
    last: bool


@translated
class Counts:
    """Counts for whoever has the lease. None: `owner` has lost it, or never had it, and nothing is changed."""

    def __init__(self, database: Store, size: int | None = None) -> None:
        self._database = database
        self._size = size or SIZE
        self._leases = Leases(database)
        self._changes = Changes(database)
        self._subjects = Subjects(database)
        self._recount = Recount(database)
        self._tallies = Tallies(database)
        self._statistics = Statistics(database)
        self._archive = Statistics(database, ARCHIVE)

    def count_brief(self, notifications: Sequence[str], owner: str, at: datetime) -> Counted | None:
        """Count notifications of few entries together: each is one chunk."""

        def write(session: ClientSession) -> Counted:
            subjects = self._subjects.of(notifications, session)
            old = self._tallies.among([(n, number) for n in subjects for number in (ERASED, 0)], session)
            chunked = [n for n in subjects if (n, 0) in old and old[n, 0].to is not None]
            whole = [n for n in subjects if n not in chunked]
            new = self._recount.of(whole, session)
            chunks = [Chunk(n, ERASED, "", None, subjects[n].erased, at) for n in whole]
            chunks += [Chunk(n, 0, "", None, new[n], at) for n in whole]
            self._replace(subjects, chunks, old, session)
            return Counted({n: entries_of(new[n]) for n in whole}, chunked)

        return self._led(owner, write)

    def count_chunk(self, notification: str, number: int, owner: str, at: datetime) -> ChunkCounted | None:
        """Count one chunk of a notification; the one that has no end is given one where it has become too large.

        With those who were erased go the chunks that they were in: nobody is in the figures twice.
        """

        def write(session: ClientSession) -> ChunkCounted:
            subjects = self._subjects.of([notification], session)
            if notification not in subjects:
                return ChunkCounted(0, last=True)
            subject = subjects[notification]
            numbers = [number, *subject.bereft[:_BEREFT]] if number == ERASED else [number]
            old = self._tallies.among([(notification, n) for each in numbers for n in (each - 1, each)], session)
            found = [self._chunk(subject, each, old, at, session) for each in numbers]
            chunks = [chunk for chunk in found if chunk is not None]
            self._replace(subjects, chunks, old, session)
            if recounted := set(numbers).intersection(subject.bereft):
                self._subjects.recounted(notification, recounted, session)
            last = not chunks or (number != ERASED and chunks[0].to is None)
            return ChunkCounted(sum(entries_of(chunk.parts) for chunk in chunks), last)

        return self._led(owner, write)

    def forget(self, notification: str, owner: str) -> bool:
        """Take all that was counted of a notification out of the roll-ups. False where the lease is lost."""

        def write(session: ClientSession) -> bool:
            subjects = self._subjects.of([notification], session)
            old = self._tallies.parts(notification, session)
            labelled = [(subject.labels, part) for subject in subjects.values() for part in change((), old)]
            self._statistics.add(labelled, session)
            self._tallies.remove([notification], session)
            return True

        return self._led(owner, write) is True

    def retire(self, notifications: Sequence[str], owner: str, at: datetime) -> Sequence[str] | None:
        """Move these notifications to the archive: they are not counted any more. Returns those that were moved.

        They are counted for the last time with that, but for those of several chunks, which should just have been. What
        the journal names stays. None: the lease is lost.
        """

        def write(session: ClientSession) -> Sequence[str]:
            marked = self._marked(session)
            if marked is None:
                return []
            subjects = self._subjects.of([name for name in notifications if name not in marked], session)
            tallies = self._tallies.of(list(subjects), session)
            whole = [name for name, chunks in tallies.items() if all(chunk.to is None for chunk in chunks)]
            recounted = self._recount.of(whole, session)
            gained, moved = list[tuple[Labels, Part]](), list[tuple[Labels, Part]]()
            for name, subject in subjects.items():
                old = [part for chunk in tallies[name] for part in chunk.parts]
                new = [*recounted[name], *subject.erased] if name in recounted else old
                gained += [(subject.labels, part) for part in change(new, old)]
                moved += [(subject.labels, part) for part in new]
            self._archive.add(moved, session)
            self._statistics.add(gained, session)
            self._tallies.remove(list(subjects), session)
            self._subjects.retire(list(subjects), at, session)
            if subjects:
                failpoints.passes("retirement.counted")
            return list(subjects)

        return self._led(owner, write)

    def _marked(self, session: ClientSession) -> set[str] | None:
        """What the journal names; None: too much of it to tell."""
        marks = self._changes.marks(_MARKS, session, most=_NAMES)
        named = {name for mark in marks for name in mark.notifications}
        return None if len(marks) == _MARKS or sum(len(mark.notifications) for mark in marks) >= _NAMES else named

    def _chunk(
        self, subject: Subject, number: int, old: Mapping[tuple[str, int], Chunk], at: datetime, session: ClientSession
    ) -> Chunk | None:
        """The chunk as it is now; None where those before it cover everything."""
        if number == ERASED:
            return Chunk(subject.id, ERASED, "", None, subject.erased, at)
        before, known = old.get((subject.id, number - 1)), old.get((subject.id, number))
        after = before.to if number and before else ""
        if after is None or (number and before is None):
            return None
        to = known.to if known else None
        if to is None:
            size = max(1, self._size // (1 + subject.groups // _GROUPS))
            to = self._recount.boundary(subject.id, after, size, session)
        return Chunk(subject.id, number, after, to, self._recount.between(subject.id, after, to, session), at)

    def _replace(
        self,
        subjects: Mapping[str, Subject],
        chunks: Sequence[Chunk],
        old: Mapping[tuple[str, int], Chunk],
        session: ClientSession,
    ) -> None:
        """Write the chunks that have changed, and what the roll-ups gain by them."""
        changed: list[Chunk] = []
        gained: list[tuple[Subject, Part]] = []
        for chunk in chunks:
            known = old.get((chunk.notification, chunk.number))
            gain = change(chunk.parts, known.parts if known else ())
            if gain or chunk.to != (known.to if known else None):
                changed.append(chunk)
                gained += [(subjects[chunk.notification], part) for part in gain]
        self._tallies.replace(changed, session)
        failpoints.passes("counting.tallies")
        self._statistics.add(((subject.labels, part) for subject, part in gained), session)
        failpoints.passes("counting.written")

    def _led(self, owner: str, write: Callable[[ClientSession], _Result]) -> _Result | None:
        """Run `write` in a transaction that sees that `owner` has the lease; it ends before another can have it."""

        def led(session: ClientSession) -> _Result | None:
            if self._leases.owner(LEASE, session) != owner:
                session.abort_transaction()
                return None
            return write(session)

        return in_snapshot(self._database, led)


def entries_of(parts: Sequence[Part]) -> int:
    """How many entries they count."""
    whole = (part.tally for part in parts if part.group is None)
    return sum(count for tally in whole for name, count in tally.items() if is_status(name))
