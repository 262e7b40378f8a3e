"""Counting all chunks of one notification, one after the other: each is a transaction of its own."""

from notify_server.services.counting_lease import CountingLease
from notify_server.storage.counts import Counts
from notify_server.storage.tallies import ERASED


def count_chunks(counts: Counts, lease: CountingLease, notification: str) -> int | None:
    """Count them for who holds `lease`, which is kept after each. Returns how many entries; None: the lease is lost."""
    entries, number, last = 0, ERASED, False
    while not last:
        counted = counts.count_chunk(notification, number, lease.owner, lease.now())
        if counted is None or not lease.take():
            return None
        entries, number, last = entries + counted.entries, number + 1, counted.last
    return entries
