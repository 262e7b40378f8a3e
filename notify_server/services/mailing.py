"""Seeing leased batches of the channel email through: as delivery does with push, one mail at a time.

The order is: every mail has its line in the mail registry; each is sent, and what was said of it stored; then the
entries move; then the batches go. Whoever takes over a dead worker's batch finds what was said of each mail, and sends
only those of which nothing is known.

Mails take their time, so a load is seen through by the slice: before each it is looked anew at who is to get one. When
the worker stops, the settings change, or nothing gets through, the rest goes back into the queue.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from threading import Event as Flag

import structlog

from notify_server import failpoints
from notify_server.domain.batch import Batch, BatchKey
from notify_server.domain.mail import Answer, Service
from notify_server.domain.mailing import Mailed, moves, plan
from notify_server.domain.notification import Attachment, Channel
from notify_server.domain.outcome import Kind
from notify_server.domain.registry import Event, Note, Reason
from notify_server.services.completion import Completion
from notify_server.services.gate import Gate
from notify_server.services.leasing import Mark
from notify_server.services.load import Load, Page, who
from notify_server.services.mail_outlet import MailOutlet, Post
from notify_server.services.mail_seals import Seals
from notify_server.services.mail_service import MailService, Opened
from notify_server.services.mail_sorting import MailSorting, Parcel
from notify_server.storage.batches import Batches, Settled
from notify_server.storage.blocked_addresses import BlockedAddresses
from notify_server.storage.joint import Joint
from notify_server.storage.notifications import Notifications
from notify_server.storage.users import Users

log = structlog.get_logger()

_SLICE = 50  # recipients between two looks at who is to get a mail
_PROBE = 3  # recipients who are sent to first, after the channel was broken
Part = tuple[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Stores:
    """What is written when the answers are there, and where attachments are read."""

    notifications: Notifications
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


@dataclass(frozen=True, slots=True)
class _Turn:
    """How a load is seen through: by which service, since when, and whether to see if the channel works again."""

    opened: Opened
    mark: Mark
    probe: str | None
    post: Post | None


@dataclass(slots=True)
class _Hand:
    """A batch in hand: what was said of its users so far, who is left, and when its notification expires."""

    batch: Batch
    left: list[str]
    expires_at: datetime
    answers: dict[str, Answer] = field(default_factory=dict)

    def add(self, parcel: Parcel) -> None:
        done = set(parcel.users).difference(parcel.unsent)
        self.left = [user for user in self.left if user not in done]
        self.answers.update(parcel.answers)
        self.expires_at = parcel.notification.expires_at


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
        self._stopping = Flag()

    @property
    def paused(self) -> bool:
        """Whether nothing gets through at the moment: then nothing is to be leased."""
        return self._outlet.paused

    def stop(self) -> None:
        """Let the mails end that are on their way, and begin no other."""
        self._stopping.set()

    def close(self) -> None:
        """Release threads and connections; nothing is in hand any more."""
        self._outlet.close()
        self._service.close()

    def mail(self, load: Load) -> None:
        """See leased batches through."""
        with self._leasing.in_hand(load), self._service.use() as opened:
            mark = self._leasing.mark()
            pages: Load = self._gate.pass_open(load)
            probe = self._outlet.probe() if pages else None
            if probe:
                pages = self._leasing.narrow(pages, _PROBE)
            self._see_through(pages, _Turn(opened, mark, probe, self._post(opened, mark)))
            if probe:
                self._outlet.conclude(probe)
            if not self._leasing.lapsed(mark):
                self._completion.check(sorted({page.batch.key.notification for page in load}))

    def _post(self, opened: Opened, mark: Mark) -> Post | None:
        """How to send; None: there is no way, and no wish, to."""
        if opened.transport is None or opened.settings is None:
            return None
        seals = Seals(opened.transport, opened.settings.reply_to, self._attachments)
        return Post(opened.transport, seals, lambda: self._is_over(opened, mark))

    def _attachments(self, notification: str) -> Sequence[Attachment]:
        return self._stores.notifications.attachments(notification)

    def _is_over(self, opened: Opened, mark: Mark) -> bool:
        """Whether no further mail may be sent as these are."""
        return self._stopping.is_set() or self._leasing.lapsed(mark) or not self._service.is_current(opened)

    def _see_through(self, pages: Load, turn: _Turn) -> None:
        now = self._holder.now()
        hands = {page.batch.key: _Hand(page.batch, list(page.batch.users), now) for page in pages}
        for some in _slices(pages):
            part = [page for page in some if page.batch.key in hands]
            if part and not self._send(part, turn, hands):
                break
        if not self._leasing.lapsed(turn.mark):
            self._settle(list(hands.values()))

    def _send(self, part: Load, turn: _Turn, hands: dict[BatchKey, _Hand]) -> bool:
        """See a slice through; False: no further one. What is not to be sent at all is in hand no more."""
        permitted = self._permitted(part, turn)
        if permitted is None:
            return False
        passed = self._gate.pass_open(part)
        for closed in {page.batch.key for page in part}.difference(page.batch.key for page in passed):
            del hands[closed]
        parcels = self._sorted(passed, turn)
        self._leasing.prove(passed)
        self._hand_over(parcels, turn)
        sent = sum(len(parcel.sheets) - len(parcel.unsent) for parcel in parcels)
        self._outlet.refund(permitted and permitted - sent)
        if self._leasing.lapsed(turn.mark):
            return False
        self._write(parcels)
        for parcel in parcels:
            hands[parcel.batch.key].add(parcel)
        return not any(parcel.unsent for parcel in parcels)

    def _permitted(self, part: Load, turn: _Turn) -> int | None:
        """Wait until as many mails may be sent as there are recipients: how many; None: none may. A probe may be."""
        if self._is_over(turn.opened, turn.mark) or (self.paused and not turn.probe):
            return None
        if turn.post is None or turn.probe:
            return 0
        count = sum(len(page.recipients or ()) for page in part)
        urgent = all(page.batch.rank.small for page in part)
        return count if self._outlet.permit(count, urgent=urgent) else None

    def _hand_over(self, parcels: Sequence[Parcel], turn: _Turn) -> None:
        self._outlet.record(parcels, self._holder.now())
        if turn.post is not None:
            self._outlet.send(parcels, turn.post, turn.probe)
        elif turn.opened.refusal is not None:
            self._outlet.refuse(parcels, turn.opened.refusal, turn.probe)
        failpoints.passes("mailing.sent")

    def _sorted(self, pages: Load, turn: _Turn) -> list[Parcel]:
        disabled = turn.post is None and turn.opened.refusal is None
        service = Service.DISABLED if disabled else Service.SMTP
        parcels = self._sorting.sort(pages, service, self._holder.now())
        failpoints.passes("mailing.entered")
        return parcels

    def _write(self, parcels: Sequence[Parcel]) -> None:
        """Write what was said of these mails, but for their batches."""
        now = self._holder.now()
        self._block(parcels, now)
        self._move(parcels, now)
        failpoints.passes("mailing.entries")
        self._rescue(parcels)

    def _settle(self, hands: Sequence[_Hand]) -> None:
        now = self._holder.now()
        mailed = [Mailed(hand.batch, hand.expires_at, hand.answers, hand.left) for hand in hands]
        plans = [plan(each, now, self._rng) for each in mailed]
        settled = [Settled(each.batch, p.successor, p.split) for each, p in zip(mailed, plans, strict=True)]
        if settled and (kept := self._stores.batches.settle(settled, self._holder.owner)):
            log.warning("mail batches not settled: lease lost, or called again", count=kept)
            for each in mailed:
                self._stores.batches.give_back(each.batch, self._holder.owner, now)
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


def _slices(pages: Load) -> Iterator[list[Page]]:
    """The recipients of all pages, a few at a time."""
    some, count = list[Page](), 0
    for page in pages:
        users = page.batch.users
        for start in range(0, len(users), _SLICE):
            part = users[start : start + _SLICE]
            if some and count + len(part) > _SLICE:
                yield some
                some, count = [], 0
            some.append(Page(page.batch, part))
            count += len(part)
    if some:
        yield some
