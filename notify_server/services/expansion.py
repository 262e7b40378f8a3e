"""Expanding an audience into registry entries and batches, page by page, so that a crash resumes at the cursor."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import structlog

from notify_server import metrics
from notify_server.domain.audience import merge_page, named_after, recipient
from notify_server.domain.batch import SIZE, Batch, BatchKey, Rank, Stage
from notify_server.domain.notification import Channel, Notification
from notify_server.domain.user import User
from notify_server.services.completion import Completion
from notify_server.services.holder import Holder
from notify_server.storage.batches import Batches
from notify_server.storage.expansions import Claim, Expansions
from notify_server.storage.members import Members
from notify_server.storage.registry import Registry
from notify_server.storage.signals import Signals
from notify_server.storage.users import Users

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Page:
    """A stored page: its push batch, leased to the expander, and who of it is to be sent to."""

    batch: Batch
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stores:
    """What expansion writes to."""

    expansions: Expansions
    members: Members
    users: Users
    registry: Registry
    batches: Batches
    signals: Signals


class Expansion:
    """Walks audiences in the order of user ids.

    A page is written in this order: batch, entries, cursor. The batch comes first because it fixes who is in the
    page: after a crash the page is read back from it, though members may have come and gone meanwhile. It is
    leased to the expander until the cursor has moved, and nobody dispatches a batch that the cursor has not passed.
    """

    def __init__(self, stores: Stores, completion: Completion, holder: Holder) -> None:
        self._stores = stores
        self._completion = completion
        self._holder = holder

    def claim(self) -> Claim | None:
        """Lease the most urgent notification that is not expanded, if there is one."""
        claim = self._stores.expansions.claim(self._holder.owner, self._holder.now(), self._holder.until())
        if claim is not None:
            self._holder.audiences.add(claim.notification.id)
        return claim

    def pages(self, claim: Claim) -> Iterator[Page]:
        """Expand page by page; yields the pages for push, and ends early when the lease was lost.

        Where it raises, the lease runs out, and any worker goes on at the cursor.
        """
        try:
            yield from self._pages(claim)
        finally:
            self._holder.audiences.discard(claim.notification.id)

    def _pages(self, claim: Claim) -> Iterator[Page]:
        notification, cursor, last = claim.notification, claim.cursor, False
        while not last:
            members = self._stores.members.page(notification.audience, cursor, SIZE)
            batches, last = self._fix(notification, cursor, [user.id for user in members])
            users = batches[0].users if batches else ()
            unmuted = self._enter(notification, users, members)
            end = users[-1] if users else cursor
            owner = self._holder.owner
            if not self._stores.expansions.advance(notification.id, owner, (cursor, end), len(users), last=last):
                log.warning("expansion lease lost", notification_id=notification.id)
                return
            yield from self._released(batches, unmuted)
            cursor = end
        self._completion.check(notification.id)
        log.info("audience expanded", notification_id=notification.id)

    def _fix(self, notification: Notification, cursor: str, members: Sequence[str]) -> tuple[list[Batch], bool]:
        """Store the batches that fix the page after `cursor`, and say whether it is the last page.

        Where a crashed run has stored one, its users are the page.
        """
        selected = merge_page(named_after(notification.audience, cursor, SIZE), members, SIZE)
        users = selected or self._stored_users(notification, cursor)
        batches = []
        for channel in notification.channels if users else ():
            batches.append(self._stores.batches.add(self._batch(notification, channel, cursor, users)))
            users = batches[0].users
        return batches, len(selected) < SIZE and users == selected

    def _stored_users(self, notification: Notification, cursor: str) -> tuple[str, ...]:
        stored = self._stores.batches.find(BatchKey(notification.id, notification.channels[0], cursor))
        return stored.users if stored else ()

    def _batch(self, notification: Notification, channel: Channel, cursor: str, users: tuple[str, ...]) -> Batch:
        pushed = channel is Channel.PUSH
        return Batch(
            key=BatchKey(notification.id, channel, cursor),
            users=users,
            due_at=self._holder.until() if pushed else self._holder.now(),
            rank=Rank.of(notification.priority),
            stage=Stage.DISPATCH if pushed else Stage.ANNOUNCE,
            owner=self._holder.owner if pushed else None,
        )

    def _enter(self, notification: Notification, users: Sequence[str], members: Iterable[User]) -> tuple[str, ...]:
        """Write the entries of a page; returns who is to be sent to."""
        known = self._known(notification, users, {user.id: user for user in members})
        recipients = [recipient(known[user], notification.audience, notification.category) for user in users]
        self._stores.registry.insert(notification.id, recipients, notification.category, self._holder.now())
        unmuted = tuple(r.user for r in recipients if r.suppressed is None)
        metrics.EXPANDED.labels("pending").inc(len(unmuted))
        metrics.EXPANDED.labels("suppressed").inc(len(recipients) - len(unmuted))
        return unmuted

    def _known(self, notification: Notification, users: Sequence[str], members: dict[str, User]) -> dict[str, User]:
        """Every one of `users`: members, other users, and those who are made now."""
        others = [user for user in users if user not in members]
        if not others:
            return members
        known = members | {user.id: user for user in self._stores.members.among(others)}
        unknown = [user for user in others if user not in known]
        self._stores.users.mention(unknown, notification.community, self._holder.now())
        return known | {user: User(user, notification.community) for user in unknown}

    def _released(self, batches: Sequence[Batch], unmuted: tuple[str, ...]) -> Iterator[Page]:
        """Hand our own push batches on, call the gateways, and end the lease on what a crashed run left."""
        for batch in batches:
            if batch.stage is Stage.ANNOUNCE:
                self._stores.signals.send()
            elif batch.owner == self._holder.owner:
                self._holder.batches.add(batch.key)
                yield Page(batch, unmuted)
            elif batch.owner is not None:
                self._stores.batches.give_back(batch, batch.owner, self._holder.now())
