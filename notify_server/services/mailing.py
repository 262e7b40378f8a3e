"""Seeing leased batches of the channel email through: as delivery does with push, one mail at a time.

The order is: every mail has its line in the mail registry; each is sent, and what was said of it stored; then the
entries move; then the batches go. Whoever takes over a dead worker's batch finds what was said of each mail, and sends
only those of which nothing is known.

Mails take their time, so a load is seen through by the slice: before each it is looked anew at who is to get one. When
the worker stops, the settings change, or nothing gets through, the rest goes back into the queue.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Event as Flag

from notify_server import failpoints
from notify_server.domain.batch import BatchKey
from notify_server.domain.mail import Service
from notify_server.domain.notification import Attachment
from notify_server.services.completion import Completion
from notify_server.services.gate import Gate
from notify_server.services.leasing import Mark
from notify_server.services.load import Load, Page
from notify_server.services.mail_outlet import MailOutlet, Post
from notify_server.services.mail_seals import Seals
from notify_server.services.mail_service import MailService, Opened
from notify_server.services.mail_settlement import Hand, MailSettlement
from notify_server.services.mail_sorting import MailSorting, Parcel

_SLICE = 50  # recipients between two looks at who is to get a mail
_PROBE = 3  # recipients who are sent to first, after the channel was broken


@dataclass(frozen=True, slots=True)
class WayOut:
    """How mails leave, by which service, where attachments are read, and what is set when no other mail is to leave."""

    outlet: MailOutlet
    service: MailService
    attachments: Callable[[str], Sequence[Attachment]]
    stopping: Flag


@dataclass(frozen=True, slots=True)
class After:
    """What follows the answers."""

    settlement: MailSettlement
    completion: Completion


@dataclass(frozen=True, slots=True)
class _Turn:
    """How a load is seen through: by which service, since when, and whether to see if the channel works again."""

    opened: Opened
    mark: Mark
    probe: str | None
    post: Post | None


class Mailing:
    """Sees loads through. Safe for many threads."""

    def __init__(self, gate: Gate, sorting: MailSorting, way: WayOut, after: After) -> None:
        self._gate = gate
        self._leasing = gate.leasing
        self._holder = gate.leasing.holder
        self._sorting = sorting
        self._outlet = way.outlet
        self._service = way.service
        self._attachments = way.attachments
        self._settlement = after.settlement
        self._completion = after.completion
        self._stopping = way.stopping

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

    def _is_over(self, opened: Opened, mark: Mark) -> bool:
        """Whether no further mail may be sent as these are."""
        return self._stopping.is_set() or self._leasing.lapsed(mark) or not self._service.is_current(opened)

    def _see_through(self, pages: Load, turn: _Turn) -> None:
        now = self._holder.now()
        hands = {page.batch.key: Hand(page.batch, list(page.batch.users), now) for page in pages}
        for some in _slices(pages):
            part = [page for page in some if page.batch.key in hands]
            if part and not self._send(part, turn, hands):
                break
        if not self._leasing.lapsed(turn.mark):
            self._settlement.settle(list(hands.values()))

    def _send(self, part: Load, turn: _Turn, hands: dict[BatchKey, Hand]) -> bool:
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
        self._settlement.write(parcels)
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
