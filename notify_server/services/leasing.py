"""What a worker has in hand: taking batches, keeping them, giving them back."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from notify_server.domain.batch import Batch
from notify_server.domain.notification import Channel
from notify_server.services.holder import Holder
from notify_server.services.load import Load, Page
from notify_server.storage.batches import Batches
from notify_server.storage.expansions import Expansions
from notify_server.storage.signals import Signals


class Leasing:
    """The leases of one worker. Safe for many threads."""

    def __init__(self, batches: Batches, expansions: Expansions, signals: Signals, holder: Holder) -> None:
        self._batches = batches
        self._expansions = expansions
        self._signals = signals
        self.holder = holder
        self._taking = Lock()

    def take(self) -> Load:
        """Lease the most urgent batch that is due, with others like it where it is small; empty where none is due."""
        holder = self.holder
        with self._taking:
            leased = self._batches.lease(Channel.PUSH, holder.owner, holder.now(), holder.until())
        holder.batches.update(batch.key for batch in leased)
        return [Page(batch) for batch in leased]

    @contextmanager
    def in_hand(self, load: Load) -> Iterator[None]:
        """While `load` is seen through. Where that raises, its leases run out, and any worker takes it again."""
        try:
            yield
        finally:
            self.holder.batches.difference_update(page.batch.key for page in load)

    def holds(self, batch: Batch) -> bool:
        """Whether the lease is still ours: a process that was suspended finds that others have taken over."""
        return self.holder.now() < batch.due_at or self._batches.holds(self.holder.owner, batch)

    def release(self, load: Load) -> None:
        """Let any worker have what this one has leased and will not come to."""
        for page in load:
            self.holder.batches.discard(page.batch.key)
            self._batches.give_back(page.batch, self.holder.owner, self.holder.now())
        self._signals.send()

    def postpone(self, batch: Batch) -> None:
        """Let it be for another lease time: what it needs is still being written."""
        self._batches.give_back(batch, self.holder.owner, self.holder.until())

    def renew(self) -> None:
        """Keep the leases of all that is in hand for another lease time."""
        holder, until = self.holder, self.holder.until()
        self._batches.renew(list(holder.batches), holder.owner, until)
        self._expansions.renew(list(holder.audiences), holder.owner, until)

    def resign(self) -> None:
        """Give back whatever is still leased, so that others need not wait for the leases to run out."""
        now = self.holder.now()
        self._batches.resign(self.holder.owner, now)
        self._expansions.resign(self.holder.owner, now)
        self._signals.send()
