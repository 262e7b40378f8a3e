"""Expanding audiences into registry entries and batches, so that a crash resumes where it ended.

A page is written in this order: batch, entries, cursor. The batch comes first because it fixes who is in the page:
after a crash the page is read back from it, though members may have come and gone meanwhile. It is leased to the
expander until the cursor has moved, and nobody dispatches a batch that the cursor has not passed.
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
from notify_server.services.load import Load, Page
from notify_server.storage.batches import Batches
from notify_server.storage.expansions import Claim, Expansions
from notify_server.storage.members import Members
from notify_server.storage.signals import Signals

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

    def __init__(self, stores: Stores, arrival: Arrival, completion: Completion, holder: Holder) -> None:
        self._stores = stores
        self._arrival = arrival
        self._completion = completion
        self._holder = holder

    def claim(self, ranks: Sequence[Rank], limit: int) -> list[Claim]:
        """Lease the most urgent notifications of these ranks that are not expanded."""
        holder = self._holder
        claims = self._stores.expansions.claim(holder.owner, holder.now(), holder.until(), limit, ranks)
        if claims:
            failpoints.passes("expansion.claimed")
        holder.audiences.update(claim.notification.id for claim in claims)
        return claims

    def loads(self, claim: Claim) -> Iterator[Load]:
        """Expand page by page; yields what is for push, and ends early when the lease was lost.

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
            (unmuted,) = self._arrival.enter([Selection(notification, users, members)], self._holder.now())
            failpoints.passes("expansion.entries")
            end = users[-1] if users else cursor
            owner = self._holder.owner
            if not self._stores.expansions.advance(notification.id, owner, (cursor, end), len(users), last=last):
                log.warning("expansion lease lost", notification_id=notification.id)
                return
            failpoints.passes("expansion.cursor")
            self._call_gateways(batches)
            yield from ((page,) for page in self._released(batches, unmuted))
            cursor = end
        self._completion.check([notification.id])
        log.info("audience expanded", notification_id=notification.id)

    def _together(self, claims: Sequence[Claim]) -> Iterator[Load]:
        batches = [self._batches_of(claim.notification, "", claim.notification.audience.users) for claim in claims]
        if not self._stores.batches.add_all([batch for each in batches for batch in each]):
            for claim in claims:  # a crashed run was here before
                yield from self._pages(claim)
            return
        failpoints.passes("together.batches")
        selections = [Selection(claim.notification, claim.notification.audience.users) for claim in claims]
        unmuted = self._arrival.enter(selections, self._holder.now())
        failpoints.passes("together.entries")
        ended = [(s.notification.id, s.users[-1], len(s.users)) for s in selections]
        if not self._stores.expansions.complete(ended, self._holder.owner):
            log.warning("expansion lease lost", notification_ids=[identity for identity, _, _ in ended])
            return  # whatever is ours comes due when our lease on its batch ends
        failpoints.passes("together.cursor")
        self._call_gateways([batch for each in batches for batch in each])
        pages = [page for each, who in zip(batches, unmuted, strict=True) for page in self._released(each, who)]
        yield pages
        unsent = {s.notification.id for s in selections}.difference(page.batch.key.notification for page in pages)
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
            batches.append(self._stores.batches.add(fixed))
        return batches, len(selected) < SIZE and (not batches or batches[0].users == selected)

    def _stored_users(self, notification: Notification, cursor: str) -> tuple[str, ...]:
        stored = self._stores.batches.find(BatchKey(notification.id, notification.channels[0], cursor))
        return stored.users if stored else ()

    def _batches_of(self, notification: Notification, cursor: str, users: tuple[str, ...]) -> list[Batch]:
        """A page's batches, one a channel: that for push is leased to us, that for realtime is for gateways to read."""
        rank = Rank.of(notification.priority, small=not cursor and len(users) < SIZE)
        return [self._batch(notification, channel, cursor, users, rank) for channel in notification.channels]

    def _batch(
        self, notification: Notification, channel: Channel, cursor: str, users: tuple[str, ...], rank: Rank
    ) -> Batch:
        key = BatchKey(notification.id, channel, cursor)
        if channel is Channel.PUSH:
            return Batch(key, users, self._holder.until(), rank, owner=self._holder.owner)
        return Batch(key, users, self._holder.now(), rank, Stage.ANNOUNCE)

    def _call_gateways(self, batches: Sequence[Batch]) -> None:
        """Once for all that is announced."""
        if any(batch.stage is Stage.ANNOUNCE for batch in batches):
            self._stores.signals.send()

    def _released(self, batches: Sequence[Batch], unmuted: tuple[str, ...]) -> Iterator[Page]:
        """Hand our own push batches on. What a crashed run left comes due by itself."""
        for batch in batches:
            if batch.owner == self._holder.owner:
                self._holder.batches.add(batch.key)
                yield Page(batch, unmuted)
