"""Which batches the threads of one process see through, each in the hand of one of them.

All of them lease under one name. Where a lease ran out before it was renewed, as after a standstill or an outage,
another thread can lease what the first still has: the database cannot tell them apart, this can.
"""

from collections.abc import Iterable
from threading import Lock

from notify_server.domain.batch import BatchKey


class InHand:
    """Batches in hand. Safe for many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._keys = set[BatchKey]()
        self._again = set[BatchKey]()

    def grasp(self, keys: Iterable[BatchKey]) -> set[BatchKey]:
        """Take those that no thread has in hand, and return them. Of the others it is noted that they were leased."""
        with self._lock:
            asked = set(keys)
            free = asked - self._keys
            self._keys |= free
            self._again |= asked - free
            return free

    def leased_again(self, keys: Iterable[BatchKey]) -> bool:
        """Whether any of these was leased once more, for nobody."""
        with self._lock:
            return not self._again.isdisjoint(keys)

    def drop(self, keys: Iterable[BatchKey]) -> list[BatchKey]:
        """Let go of these. Returns those that were leased once more meanwhile, for nobody."""
        with self._lock:
            dropped = set(keys)
            again = list(dropped & self._again)
            self._keys -= dropped
            self._again -= dropped
            return again

    def keys(self) -> set[BatchKey]:
        """What is in hand at this moment."""
        with self._lock:
            return set(self._keys)
