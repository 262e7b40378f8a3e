"""Expanding audiences into registry entries and batches, so that a crash resumes where it ended.

A page is written in this order: batch, entries, cursor. The batch comes first because it fixes who is in the page:
after a crash the page is read back from it, though members may have come and gone meanwhile. It is leased to the
expander until the cursor has moved, and nobody dispatches a batch that the cursor has not passed. Where a notification
goes to open sockets, the entries are written in the transaction that announces them (see sequencing).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import structlog

from notify_server import failpoints
from notify_server.domain.audience import merge_page, named_after
from notify_server.domain.batch import SIZE, Batch, BatchKey, Rank, Stage
from notify_server.domain.notification import Channel, Notification
from notify_server.services.arrival import Arrival, Selection
from notify_server.services.completion import Completion
from notify_server.services.holder import Holder
from notify_server.services.load import Entered, Load, Page
from notify_server.services.sequencing import Opening, Sequencing
from notify_server.storage.batches import Batches
from notify_server.storage.expansions import Claim, Expansions
from notify_server.storage.members import Members
from notify_server.storage.signals import Signals, Work

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Stores:
    """What expansion reads and writes, besides the entries."""

    expansions: Expansions
    members: Members
    batches: Batches
    signals: Signals


class Expansion:
    """Walks audiences in the order of user ids."""

    def __init__(
        self, stores: Stores, arrival: Arrival, sequencing: Sequencing, completion: Completion, holder: Holder
    ) -> None:
        self._stores = stores
        self._arrival = arrival
        self._sequencing = sequencing
        self._completion = completion
        self._holder = holder

    def claim(self, ranks: Sequence[Rank], limit: int) -> list[Claim]:
        """Lease the most urgent notifications of these ranks that are not expanded.

        Those that were claimed before, and whose lease had run out, are not returned once more.
        """
        holder = self._holder
        claims = self._stores.expansions.claim(holder.owner, holder.now(), holder.until(), limit, ranks)
        if claims:
            failpoints.passes("expansion.claimed")
        new = [claim for claim in claims if claim.notification.id not in holder.audiences]
        holder.audiences.update(claim.notification.id for claim in new)
        return new

    def loads(self, claim: Claim) -> Iterator[Load]:
        """Expand page by page; yields what of each is for push at once, and ends early when the lease was lost.

        Where it raises, the lease runs out, and any worker goes on at the cursor.
        """
        try:
            yield from self._pages(claim)
        finally:
            self._holder.audiences.discard(claim.notification.id)

    def together(self, claims: Sequence[Claim]) -> Iterator[Load]:
        """Expand notifications of one page each (`Claim.brief`) with as many writes as one of them would need."""
        try:
            yield from self._together(claims)
        finally:
            self._holder.audiences.difference_update(claim.notification.id for claim in claims)

    def _pages(self, claim: Claim) -> Iterator[Load]:
        notification, cursor, last = claim.notification, claim.cursor, False
        while not last:
            members = self._stores.members.page(notification.audience, cursor, SIZE)
            batches, last = self._fix(notification, cursor, [user.id for user in members])
            failpoints.passes("expansion.batch")
            users = batches[0].users if batches else ()
            entered = self._enter(Opening(Selection(notification, users, members), cursor, batches))
            failpoints.passes("expansion.entries")
            end = users[-1] if users else cursor
            owner = self._holder.owner
            if not self._stores.expansions.advance(notification.id, owner, (cursor, end), len(users), last=last):
                log.warning("expansion lease lost", notification_id=notification.id)
                return
            failpoints.passes("expansion.cursor")
            self._post(batches)
            yield tuple(self._released(batches, entered))
            cursor = end
        self._completion.check([notification.id])
        log.info("audience expanded", notification_id=notification.id)

    def _enter(self, page: Opening) -> Entered | None:
        """Write the entries of a page; who is to be sent to. None: that is to be read, the page was entered before."""
        if not page.batches:
            return Entered()
        if _announced(page.batches):
            entered = self._sequencing.enter([page])
            return None if entered is None else entered[0]
        return self._arrival.enter([page.selection], self._holder.now())[0]

    def _together(self, claims: Sequence[Claim]) -> Iterator[Load]:
        pages = [self._opening(claim.notification) for claim in claims]
        live = [page for page in pages if _announced(page.batches)]
        others = [page for page in pages if not _announced(page.batches)]
        if live and (entered := self._sequencing.enter(live, new=True)) is not None:
            yield from self._complete(live, entered)
        elif live:  # a crashed run was here before
            for page in live:
                yield from self._pages(Claim(page.selection.notification, ""))
        if others:
            stored = self._store(others)
            yield from self._complete(stored, self._enter_all(stored))

    def _opening(self, notification: Notification) -> Opening:
        users = notification.audience.users
        return Opening(Selection(notification, users), "", self._batches_of(notification, "", users))

    def _store(self, pages: Sequence[Opening]) -> list[Opening]:
        """Store the batches of pages. What a crashed run had stored is nobody's: the users are the same, and named."""
        found = self._stores.batches.add_all([batch for page in pages for batch in page.batches])
        return [
            replace(page, batches=[replace(b, owner=None) if b.key in found else b for b in page.batches])
            for page in pages
        ]

    def _enter_all(self, pages: Sequence[Opening]) -> Sequence[Entered]:
        failpoints.passes("together.batches")
        return self._arrival.enter([page.selection for page in pages], self._holder.now())

    def _complete(self, pages: Sequence[Opening], entered: Sequence[Entered]) -> Iterator[Load]:
        failpoints.passes("together.entries")
        selections = [page.selection for page in pages]
        ended = [(s.notification.id, s.users[-1], len(s.users)) for s in selections]
        if not self._stores.expansions.complete(ended, self._holder.owner):
            log.warning("expansion lease lost", notification_ids=[identity for identity, _, _ in ended])
            return  # whatever is ours comes due when our lease on its batch ends
        failpoints.passes("together.cursor")
        self._post([batch for page in pages for batch in page.batches])
        released = [
            each for page, who in zip(pages, entered, strict=True) for each in self._released(page.batches, who)
        ]
        yield released
        unsent = {s.notification.id for s in selections}.difference(page.batch.key.notification for page in released)
        self._completion.check(sorted(unsent))
        log.info("audiences expanded", notification_ids=[identity for identity, _, _ in ended])

    def _fix(self, notification: Notification, cursor: str, members: Sequence[str]) -> tuple[list[Batch], bool]:
        """Store the batches that fix the page after `cursor`, and say whether it is the last page.

        Where a crashed run has stored one, its users are the page.
        """
        selected = merge_page(named_after(notification.audience, cursor, SIZE), members, SIZE)
        users = selected or self._stored_users(notification, cursor)
        batches: list[Batch] = []
        for batch in self._batches_of(notification, cursor, users) if users else ():
            fixed = replace(batch, users=batches[0].users) if batches else batch
            stored = self._stores.batches.add(fixed)
            # What was found is not ours to hand on, even under our name: a dispatcher of ours may have it in hand.
            batches.append(stored if stored is fixed else replace(stored, owner=None))
        return batches, len(selected) < SIZE and (not batches or batches[0].users == selected)

    def _stored_users(self, notification: Notification, cursor: str) -> tuple[str, ...]:
        stored = self._stores.batches.find(BatchKey(notification.id, notification.channels[0], cursor))
        return stored.users if stored else ()

    def _batches_of(self, notification: Notification, cursor: str, users: tuple[str, ...]) -> list[Batch]:
        """A page's batches, one a channel.

        Those for push and mail are leased to us until the page has its entries; that for realtime is for gateways.
        """
        rank = Rank.of(notification.priority, small=not cursor and len(users) < SIZE)
        return [self._batch(notification, channel, cursor, users, rank) for channel in notification.channels]

    def _batch(
        self, notification: Notification, channel: Channel, cursor: str, users: tuple[str, ...], rank: Rank
    ) -> Batch:
        key = BatchKey(notification.id, channel, cursor)
        if channel is Channel.REALTIME:
            return Batch(key, users, self._holder.now(), rank, Stage.ANNOUNCE)
        later = notification.push_at if channel is Channel.PUSH else notification.email_at
        if later is not None:
            return Batch(key, users, later, rank)
        return Batch(key, users, self._holder.until(), rank, owner=self._holder.owner)

    def _released(self, batches: Sequence[Batch], entered: Entered | None) -> Iterator[Page]:
        """Hand our own push batches on. What a crashed run left comes due by itself, and what is for later, then."""
        for batch in batches:
            ours = batch.owner == self._holder.owner and batch.key.channel is Channel.PUSH
            if ours and self._holder.batches.grasp([batch.key]):
                yield Page(batch) if entered is None else Page(batch, entered.users, entered.locales)

    def _post(self, batches: Sequence[Batch]) -> None:
        """Let any worker have what is to be mailed at once."""
        mailed = {batch.key for batch in batches if batch.owner and batch.key.channel is Channel.EMAIL}
        mailed -= self._holder.batches.keys()  # after a standstill, a mailer of ours may have been quicker
        if mailed:
            self._stores.batches.let_go(mailed, self._holder.owner, self._holder.now())
            self._stores.signals.send({Work.EMAIL})


def _announced(batches: Sequence[Batch]) -> bool:
    return any(batch.stage is Stage.ANNOUNCE for batch in batches)
