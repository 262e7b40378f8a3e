"""Counting in tests: at once, where nothing changes any more; and the proof that the figures are right."""

from time import sleep

from notify_server.bootstrap import build_verification
from notify_server.config import Config
from notify_server.services.clock import utc_now
from notify_server.services.counting_chunks import count_chunks
from notify_server.services.counting_lease import CountingLease
from notify_server.services.verdict import Difference
from notify_server.storage.changes import Changes
from notify_server.storage.counts import Counts
from notify_server.storage.documents import Store
from notify_server.storage.leases import Leases
from notify_server.storage.subjects import Subjects

_TOGETHER = 20  # notifications of one transaction
COUNTED = ("changes", "tallies", "statistics")  # what counting keeps: it goes with the notifications


class Leaps:
    """Ticks that stand still until they are moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def count_all(database: Store) -> int:
    """Count what is marked, without waiting for marks to run out. Returns how many entries were counted.

    The marks stay: processes go by them. So what is not marked is not counted, which the proof would find.
    """
    names = sorted({name for mark in Changes(database).marks() for name in mark.notifications})
    lease, counts, counted = CountingLease(Leases(database), "tests", utc_now), Counts(database), 0
    with lease.awaited(sleep):
        single = [name for name, subject in Subjects(database).of(names).items() if subject.recipients == 1]
        for start in range(0, len(single), _TOGETHER):
            done = counts.count_brief(single[start : start + _TOGETHER], lease.owner, utc_now())
            assert done is not None, "another process counts"
            counted += sum(done.entries.values())
            lease.take()
        for name in sorted(set(names) - set(single)):
            entries = count_chunks(counts, lease, name)
            assert entries is not None, "another process counts"
            counted += entries
    return counted


def differences(database: Store, *, repair: bool = False) -> list[str]:
    """What `notify-server stats verify` finds."""
    found: list[Difference] = []
    verdict = build_verification(Config(), database, patience=0).verify(found.append, repair=repair)
    assert verdict.differences == len(found)
    return [f"{each.what}: {dict(each.found)}, not {dict(each.expected)}" for each in found] + [
        f"notification {name} waits to be counted" for name in verdict.unsettled
    ]
