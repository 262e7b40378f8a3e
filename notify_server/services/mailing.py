"""Seeing leased batches of the channel email through: as delivery does with push, one mail at a time.

The order is: every mail has its line in the mail registry; each is sent, and what was said of it stored; then the
entries move; then the batches go. Whoever takes over a dead worker's batch finds what was said of each mail, and sends
only those of which nothing is known.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from time import monotonic

import structlog

from notify_server import failpoints
from notify_server.domain.batch import Batch
from notify_server.domain.mail import Answer, Service
from notify_server.domain.mailing import Mailed, MailPlan, plan
from notify_server.domain.notification import Channel
from notify_server.domain.outcome import Kind
from notify_server.domain.registry import Event, Note, Reason
from notify_server.errors import CredentialError
from notify_server.services.completion import Completion
from notify_server.services.gate import Gate
from notify_server.services.leasing import Mark
from notify_server.services.load import Load, who
from notify_server.services.mail_outlet import MailOutlet, Post
from notify_server.services.mail_service import UNREADABLE, MailService
from notify_server.services.mail_sorting import MailSorting, Parcel
from notify_server.storage.batches import Batches, Settled
from notify_server.storage.blocked_addresses import BlockedAddresses
from notify_server.storage.joint import Joint
from notify_server.storage.users import Users

log = structlog.get_logger()

_STALE = 0.2  # seconds of waiting, after which what was read before is read again
_PROBE = 3  # recipients who are sent to first, after the channel was broken
Part = tuple[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Stores:
    """What is written when the answers are there."""

    joint: Joint
    batches: Batches
    users: Users
    blocked: BlockedAddresses


@dataclass(frozen=True, slots=True)
class WayOut:
    """How mails leave, and by which service."""

    outlet: MailOutlet
    service: MailService


@dataclass(frozen=True, slots=True)
class After:
    """What follows the answers; `rng` spreads retries."""

    stores: Stores
    completion: Completion
    rng: Random


class Mailing:
    """Sees loads through. Safe for many threads."""

    def __init__(self, gate: Gate, sorting: MailSorting, way: WayOut, after: After) -> None:
        self._gate = gate
        self._leasing = gate.leasing
        self._holder = gate.leasing.holder
        self._sorting = sorting
        self._outlet = way.outlet
        self._service = way.service
        self._stores = after.stores
        self._completion = after.completion
        self._rng = after.rng

    @property
    def paused(self) -> bool:
        """Whether nothing gets through at the moment: then nothing is to be leased."""
        return self._outlet.paused

    def close(self) -> None:
        """Release threads and connections; nothing is in hand any more."""
        self._outlet.close()
        self._service.close()

    def mail(self, load: Load) -> None:
        """See leased batches through."""
        with self._leasing.in_hand(load):
            mark = self._leasing.mark()
            pages: Load = self._gate.pass_open(load)
            probe = self._outlet.probe() if pages else None
            if probe:
                pages = self._leasing.narrow(pages, _PROBE)
            if pages:
                self._send(pages, mark, probe)
            if not self._leasing.lapsed(mark):
                self._completion.check(sorted({page.batch.key.notification for page in load}))

    def _send(self, pages: Load, mark: Mark, probe: str | None) -> None:
        post = self._post(lambda: self._leasing.lapsed(mark))
        parcels = self._sort(pages, post)
        began = monotonic()
        if not self._outlet.permit(parcels, probe):
            self._leasing.release(pages)
            return
        if monotonic() - began > _STALE:
            pages = self._gate.pass_open(pages)
            parcels = self._sort(pages, post)
        self._leasing.prove(pages)
        self._outlet.record(parcels, self._holder.now())
        if isinstance(post, Post):
            self._outlet.send(parcels, post, probe)
        elif post is not None:
            self._outlet.refuse(parcels, post, probe)
        failpoints.passes("mailing.sent")
        if not self._leasing.lapsed(mark):
            self._settle(parcels)

    def _sort(self, pages: Load, post: Post | Answer | None) -> list[Parcel]:
        service = Service.DISABLED if post is None else Service.SMTP
        parcels = self._sorting.sort(pages, service, self._holder.now())
        failpoints.passes("mailing.entered")
        return parcels

    def _post(self, lapsed: Callable[[], bool]) -> Post | Answer | None:
        """How to send; None: mail is disabled. An answer: to everybody, as our own secret cannot be read."""
        try:
            transport, settings = self._service.transport(), self._service.settings()
        except CredentialError:
            return UNREADABLE
        if transport is None or settings.sender is None:
            return None
        return Post(transport, settings.sender.address, settings.reply_to, lapsed)

    def _settle(self, parcels: Sequence[Parcel]) -> None:
        now = self._holder.now()
        self._block(parcels, now)
        mailed = [Mailed(parcel.batch, parcel.notification, parcel.answers) for parcel in parcels]
        plans = [plan(each, now, self._rng) for each in mailed]
        self._move(mailed, plans)
        failpoints.passes("mailing.entries")
        self._rescue(parcels)
        settled = [Settled(each.batch, p.successor, p.split) for each, p in zip(mailed, plans, strict=True)]
        if kept := self._stores.batches.settle(settled, self._holder.owner):
            log.warning("mail batches not settled: lease lost, or called again", count=kept)
            for each in mailed:
                self._stores.batches.give_back(each.batch, self._holder.owner, now)
        failpoints.passes("mailing.batches")

    def _move(self, mailed: Sequence[Mailed], plans: Sequence[MailPlan]) -> None:
        """Write the moves, equal ones of all notifications of a kind with one update."""
        alike: dict[tuple[Event | None, Note, bool, bool], list[Part]] = defaultdict(list)
        for each, planned in zip(mailed, plans, strict=True):
            push_follows, alone = Channel.PUSH in each.notification.channels, len(each.notification.channels) == 1
            for move in planned.moves:
                alike[move.event, move.note, push_follows, alone].append((each.notification.id, move.users))
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
