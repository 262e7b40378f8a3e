"""Notifications against their tallies: each is recounted from its entries, in snapshots that show what is marked.

The journal may be long, and matters only to what differs: it is read where anything does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from notify_server.services.counting_groups import is_brief
from notify_server.services.verdict import Difference, between
from notify_server.storage.changes import Changes
from notify_server.storage.counts import SIZE, entries_of
from notify_server.storage.recount import Recount
from notify_server.storage.snapshots import Snapshot, Snapshots
from notify_server.storage.subjects import Subjects
from notify_server.storage.tallies import ERASED, Tallies


@dataclass(frozen=True, slots=True)
class Compared:
    """A notification, how many of its entries were recounted, what is wrong, and whether that was marked then."""

    name: str
    entries: int
    wrong: Difference | None
    marked: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Compares pages of notifications."""

    changes: Changes
    subjects: Subjects
    recount: Recount
    tallies: Tallies
    snapshots: Snapshots

    def page(self, names: Sequence[str]) -> Iterator[Compared]:
        """Compare those of `names` that are there: brief ones together, large ones chunk by chunk."""
        subjects = self.subjects.of(names)
        yield from self._brief([name for name, subject in subjects.items() if is_brief(subject)])
        for name, subject in subjects.items():
            if not is_brief(subject):
                yield self._large(name)

    def _brief(self, names: Sequence[str]) -> Iterator[Compared]:
        with self.snapshots.session() as snapshot:
            subjects = self.subjects.of(names, snapshot)
            recounted = self.recount.of(list(subjects), snapshot)
            tallies = self.tallies.whole(list(subjects), snapshot)
            wrong = {
                name: between(
                    f"notification {name}",
                    [part for chunk in tallies[name] for part in chunk.parts],
                    [*recounted[name], *subject.erased],
                )
                for name, subject in subjects.items()
            }
            marked = self._marked(snapshot) if any(wrong.values()) else set()
        for name in subjects:
            yield Compared(name, entries_of(recounted[name]), wrong[name], wrong[name] is not None and name in marked)

    def _large(self, name: str) -> Compared:
        """Up to the first chunk that differs. Each is read in a snapshot of its own: those are kept for seconds."""
        entries, number, after = 0, ERASED, ""
        while True:
            with self.snapshots.session() as snapshot:
                found, to = self._chunk(name, number, after, snapshot)
            entries += found.entries
            if found.wrong is not None or to is None:
                return Compared(name, entries, found.wrong, found.marked)
            number, after = number + 1, to

    def _chunk(self, name: str, number: int, after: str, snapshot: Snapshot) -> tuple[Compared, str | None]:
        """One chunk, and where the next one begins; None: there is none."""
        subject = self.subjects.of([name], snapshot).get(name)
        if subject is None:  # retired meanwhile
            return Compared(name, 0, None, marked=False), None
        chunk = self.tallies.among([(name, number)], snapshot).get((name, number))
        counted = chunk.parts if chunk else ()
        what = f"notification {name}, chunk {number}"
        entries, expected = 0, subject.erased
        to: str | None = ""
        if number != ERASED:
            to = chunk.to if chunk else self.recount.boundary(name, after, SIZE, snapshot)
            expected = self.recount.between(name, after, to, snapshot)
            entries = entries_of(expected)
        wrong = between(what, counted, expected)
        return Compared(name, entries, wrong, wrong is not None and name in self._marked(snapshot)), to

    def _marked(self, snapshot: Snapshot) -> set[str]:
        return {name for mark in self.changes.marks(session=snapshot) for name in mark.notifications}
