"""Writing down what came of some mails: entries first, and their batches when all of a load is seen through.

A crash in between leaves batches that can be mailed again: of each mail that was sent, the mail registry knows.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

import structlog

from notify_server import failpoints
from notify_server.domain.batch import Batch
from notify_server.domain.mail import Answer
from notify_server.domain.mailing import Mailed, moves, plan
from notify_server.domain.notification import Channel
from notify_server.domain.outcome import Kind
from notify_server.domain.registry import Event, Note, Reason
from notify_server.services.holder import Holder
from notify_server.services.load import who
from notify_server.services.mail_sorting import Parcel
from notify_server.storage.batches import Batches, Settled
from notify_server.storage.blocked_addresses import BlockedAddresses
from notify_server.storage.joint import Joint
from notify_server.storage.users import Users

log = structlog.get_logger()

Part = tuple[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Stores:
    """What is written, and where it is looked whether an address has come meanwhile."""

    joint: Joint
    batches: Batches
    users: Users
    blocked: BlockedAddresses


@dataclass(slots=True)
class Hand:
    """A batch in hand: what was said of its users so far, who is left, and when its notification expires."""

    batch: Batch
    left: list[str]
    expires_at: datetime
    answers: dict[str, Answer] = field(default_factory=dict)

    def add(self, parcel: Parcel) -> None:
        """These of its users are seen to, but for those whom nobody was sent to."""
        done = set(parcel.users).difference(parcel.unsent)
        self.left = [user for user in self.left if user not in done]
        self.answers.update(parcel.answers)
        self.expires_at = parcel.notification.expires_at


class MailSettlement:
    """Writes for one worker, the `holder` of the batches. Safe for many threads; `rng` spreads retries."""

    def __init__(self, stores: Stores, holder: Holder, rng: Random) -> None:
        self._stores = stores
        self._holder = holder
        self._rng = rng

    def write(self, parcels: Sequence[Parcel]) -> None:
        """Write what was said of these mails: dead addresses, entries, and who has got an address meanwhile."""
        now = self._holder.now()
        self._block(parcels, now)
        self._move(parcels, now)
        failpoints.passes("mailing.entries")
        self._rescue(parcels)

    def settle(self, hands: Sequence[Hand]) -> None:
        """End the dispatch of these batches: who is to be mailed again, or was not come to, is queued again."""
        now = self._holder.now()
        mailed = [Mailed(hand.batch, hand.expires_at, hand.answers, hand.left) for hand in hands]
        plans = [plan(each, now, self._rng) for each in mailed]
        settled = [Settled(each.batch, p.successor, p.split) for each, p in zip(mailed, plans, strict=True)]
        if settled and (kept := self._stores.batches.settle(settled, self._holder.owner)):
            log.warning("mail batches not settled: lease lost, or called again", count=kept)
            self._stores.batches.let_go([each.batch.key for each in mailed], self._holder.owner, now)
        failpoints.passes("mailing.batches")

    def _move(self, parcels: Sequence[Parcel], now: datetime) -> None:
        """Write the moves, equal ones of all notifications of a kind with one update."""
        alike: dict[tuple[Event | None, Note, bool, bool], list[Part]] = defaultdict(list)
        for parcel in parcels:
            channels = parcel.notification.channels
            for move in moves(parcel.batch, parcel.answers, now):
                key = move.event, move.note, Channel.PUSH in channels, len(channels) == 1
                alike[key].append((parcel.notification.id, move.users))
        joint = self._stores.joint
        for (event, note, push_follows, alone), parts in alike.items():
            if event is None:
                joint.unmailed(who(parts), note, push_follows=push_follows)
            elif event is Event.SEND:
                joint.mailed(who(parts), note, push_follows=push_follows)
            else:
                joint.unmailable(event, who(parts), note, alone=alone)

    def _block(self, parcels: Sequence[Parcel], now: datetime) -> None:
        """What is known to be no mailbox is asked no more."""
        for parcel in parcels:
            for sheet in parcel.sheets:
                answer = parcel.answers.get(sheet.user)
                if answer is not None and answer.outcome.kind is Kind.TARGET_DEAD:
                    self._stores.blocked.block(sheet.letter.to, Reason.BAD_ADDRESS, answer.detail, now)

    def _rescue(self, parcels: Sequence[Parcel]) -> None:
        """Queue those without an address who got one since; as with devices, whoever comes second sees the other."""
        waiting = {
            (parcel.notification.id, user)
            for parcel in parcels
            for user, answer in parcel.answers.items()
            if answer.outcome.reason is Reason.NO_ADDRESS
        }
        if not waiting:
            return
        users = self._stores.users.among(sorted({user for _, user in waiting}))
        addressed = {user.id for user in users if user.email}
        for notification, user in sorted(waiting):
            if user in addressed:
                self._stores.batches.call(Batch.awaited(notification, user, self._holder.now(), Channel.EMAIL))
