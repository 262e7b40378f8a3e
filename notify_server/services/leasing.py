"""What a worker has in hand: taking batches, keeping them, giving them back."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from secrets import token_hex
from threading import Lock
from time import monotonic

from notify_server import failpoints
from notify_server.domain.batch import Batch, BatchKey, Rank
from notify_server.domain.notification import Channel
from notify_server.errors import DatabaseUnavailable
from notify_server.services.holder import Holder
from notify_server.services.load import Load, Page
from notify_server.storage.batches import Batches, Settled
from notify_server.storage.expansions import Expansions
from notify_server.storage.signals import EVERYTHING, Signals, Work

_LATER = 0.25  # lease times until one looks again for what is still being written


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment at which leases were ours, by a monotonic clock in seconds, and how often they had run out by then."""

    at: float
    lapses: int


class Leasing:
    """The leases of one worker. Safe for many threads."""

    def __init__(self, batches: Batches, expansions: Expansions, signals: Signals, holder: Holder) -> None:
        self._batches = batches
        self._expansions = expansions
        self._signals = signals
        self.holder = holder
        self._taking = Lock()
        self._doubtful = False
        self._renewed_at = monotonic()
        self._lapses = 0

    def take(self, *, least: Rank = Rank.BULK, channel: Channel = Channel.PUSH) -> Load:
        """Lease the most urgent batch of `channel` that is due, with others like it where it has few users.

        Empty where none is due. `least`: nothing that is less urgent. What another thread still has in hand stays with
        it, though its lease had run out.
        """
        holder = self.holder
        ranks = [rank for rank in Rank if rank <= least]
        while True:
            with self._taking:
                had = holder.batches.keys()
                leased = self._batches.lease(channel, holder.owner, holder.now(), holder.until(), ranks)
                grasped = holder.batches.grasp(batch.key for batch in leased)
            if stale := grasped & had:  # who had them in hand was done with them meanwhile: they are to be read anew
                self.release([Page(batch) for batch in leased if batch.key in stale])
            if (fresh := grasped - stale) or not leased:
                break
        if leased:
            failpoints.passes("delivery.leased")
        return [Page(batch) for batch in leased if batch.key in fresh]

    def narrow(self, load: Load, most: int) -> Load:
        """Keep at most so many recipients of one batch in hand, and give back everything else."""
        page, *others = load
        if others:
            self.give_back(others)
        users = page.batch.users if page.recipients is None else page.recipients
        if len(users) <= most:
            return [page]
        kept = replace(_of(page.batch, users[:most]), due_at=self.holder.until())
        rest = replace(_of(page.batch, users[most:]), due_at=self.holder.now(), owner=None)
        rest = replace(rest, key=replace(rest.key, part=token_hex(8)))
        lost = self._batches.settle([Settled(page.batch, kept, [rest])], self.holder.owner)
        return [] if lost else [Page(kept, page.recipients and kept.users, page.locales)]

    @contextmanager
    def in_hand(self, load: Load) -> Iterator[set[BatchKey]]:
        """While `load` is seen through. Where that raises, its leases run out, and any worker takes it again.

        Yields what is let go of in the end: what stays in hand is to be taken away.
        """
        keys = {page.batch.key for page in load}
        try:
            yield keys
        except BaseException as error:
            self._doubtful = self._doubtful or isinstance(error, DatabaseUnavailable)
            self.holder.batches.drop(keys)
            raise
        # What was leased again is let go of before another thread leases it: both go by one name.
        with self._taking if self.holder.batches.leased_again(keys) else nullcontext():
            if again := self.holder.batches.drop(keys):
                self._let_go(again)

    def prove(self, load: Load) -> None:
        """To be called before anything is sent: raises DatabaseUnavailable where its outcome could not be written.

        It costs a write only after the database was away. A full disk can be read, and what is sent then is sent twice.
        """
        if self._doubtful and load:
            self._batches.renew([page.batch.key for page in load], self.holder.owner, self.holder.until())
            self._doubtful = False

    def holds(self, batch: Batch) -> bool:
        """Whether the lease is still ours: a process that was suspended finds that others have taken over."""
        return self.holder.now() < batch.due_at or self._batches.holds(self.holder.owner, batch)

    def release(self, load: Load) -> None:
        """Let any worker have what this one has leased and will not come to."""
        with self.in_hand(load):
            self.give_back(load)

    def give_back(self, load: Load) -> None:
        """The same with what is being seen through: it stays in hand until that has ended."""
        self._let_go([page.batch.key for page in load])

    def _let_go(self, keys: Sequence[BatchKey]) -> None:
        self._batches.let_go(keys, self.holder.owner, self.holder.now())
        self._signals.send({Work(key.channel) for key in keys})

    def postpone(self, batch: Batch) -> None:
        """Let it be for a part of a lease time: what it needs is still being written.

        After a crash that is so for moments, as a batch comes due with the audience it belongs to: whoever took both
        at once would otherwise wait for a second lease.
        """
        later = self.holder.now() + timedelta(seconds=self.holder.lease * _LATER)
        self._batches.give_back(batch, self.holder.owner, later)

    def mark(self) -> Mark:
        """To be taken once it is known that leases are ours: `lapsed` then says whether they may be somebody else's."""
        return Mark(monotonic(), self._lapses)

    def lapsed(self, mark: Mark) -> bool:
        """Whether leases may have run out since `mark`, because this process stood still. It costs no read."""
        kept_at = max(self._renewed_at, mark.at)
        return mark.lapses != self._lapses or monotonic() - kept_at >= self.holder.lease

    def renew(self) -> None:
        """Keep the leases of all that is in hand for another lease time."""
        holder, until, began = self.holder, self.holder.until(), monotonic()
        if began - self._renewed_at >= holder.lease:
            self._lapses += 1
        self._batches.renew(holder.batches.keys(), holder.owner, until)
        self._expansions.renew(list(holder.audiences), holder.owner, until)
        self._renewed_at = began

    def resign(self) -> None:
        """Give back whatever is still leased, so that others need not wait for the leases to run out."""
        now = self.holder.now()
        self.holder.batches.drop(self.holder.batches.keys())
        self._batches.resign(self.holder.owner, now)
        self._expansions.resign(self.holder.owner, now)
        self._signals.send(EVERYTHING)


def _of(batch: Batch, users: tuple[str, ...]) -> Batch:
    """`batch` for these of its users alone."""
    devices = batch.devices and {user: batch.devices[user] for user in users if user in batch.devices}
    return replace(batch, users=users, devices=devices or None)
