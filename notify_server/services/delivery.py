"""Seeing leased batches through: which of them may be sent, what the channel says of each device, and what follows."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from notify_server import failpoints
from notify_server.domain.batch import BatchKey
from notify_server.domain.dispatch import Dispatch
from notify_server.domain.outcome import Outcome
from notify_server.errors import DatabaseUnavailable
from notify_server.services.answers import Answers
from notify_server.services.completion import Completion
from notify_server.services.gate import Gate
from notify_server.services.late import Late, Overdue, Portion
from notify_server.services.leasing import Leasing
from notify_server.services.load import Load, Page
from notify_server.services.outlet import Outlet, Send
from notify_server.services.preparation import Preparation
from notify_server.services.settlement import Settlement

log = structlog.get_logger()

Answered = Sequence[Sequence[Outcome | None]]  # by send and device

_PROBE = 5  # recipients who are sent to first, after the channel was broken
_LOOK = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Before:
    """What says which batches are to be sent, and to whom."""

    gate: Gate
    preparation: Preparation


@dataclass(frozen=True, slots=True)
class After:
    """What follows the channel's answers."""

    settlement: Settlement
    completion: Completion


class Delivery:
    """Sees loads through. Safe for many threads."""

    def __init__(self, before: Before, outlet: Outlet, after: After, leasing: Leasing) -> None:
        self._gate = before.gate
        self._preparation = before.preparation
        self._outlet = outlet
        self._after = after
        self._leasing = leasing
        self._late = Late()

    def deliver(self, load: Load) -> None:
        """See leased batches through together: each read and write is done once for all of them.

        Recipients whose answers are late are left to `settle_late`.
        """
        with self._leasing.in_hand(load) as keys:
            pages: Load = self._gate.pass_open(load)
            probe = self._outlet.probe() if pages else None
            if probe:
                pages = self._leasing.narrow(pages, _PROBE)
            sends = self._preparation.sends(pages)
            permit = self._outlet.permit(sends, probe)
            if permit is None:
                self._leasing.give_back(pages)
                return
            if permit.stale:
                sends = self._preparation.sends([Page(page.batch) for page in self._gate.pass_open(pages)])
            self._leasing.prove(pages)
            failpoints.passes("delivery.sending")
            answers = self._outlet.send(sends, permit, self._leasing.holder.now())
            self._settle(sends, answers, probe, keys)
            failpoints.passes("delivery.completing")
            self._after.completion.check(sorted({page.batch.key.notification for page in load}))

    def settle_late(self, timeout: float) -> None:
        """Settle what was answered late, once it is; wait for that for `timeout` seconds at most."""
        if overdue := self._late.take(timeout):
            try:
                with self._leasing.in_hand([Page(part.send.batch) for each in overdue for part in each.portions]):
                    self._settle_overdue(overdue)
            finally:
                self._late.release(sum(each.exposed for each in overdue))

    def wake(self) -> None:
        """Let `settle_late` return."""
        self._late.wake()

    def finish(self) -> None:
        """Settle everything that is answered late: to be called when no other thread delivers or settles.

        It raises nothing: the leases of what cannot be settled run out.
        """
        while self._late:
            try:
                self.settle_late(_LOOK)
            except DatabaseUnavailable as error:
                log.warning("late answers lost", problem=str(error))
            except Exception:
                log.exception("late answers lost")

    def _settle_overdue(self, overdue: Sequence[Overdue]) -> None:
        dispatches, unheard = list[Dispatch](), list[Outcome]()
        for each in overdue:
            found, outcomes = each.answers.late()
            unheard += outcomes
            dispatches += [portion.dispatch(found[portion.place]) for portion in each.portions]
        self._outlet.observe(unheard)
        self._after.settlement.settle(dispatches, self._leasing.holder.owner)
        self._after.completion.check(sorted({dispatch.notification.id for dispatch in dispatches}))

    def _settle(self, sends: Sequence[Send], answers: Answers, probe: str | None, keys: set[BatchKey]) -> None:
        """Settle what is answered. Batches of which something is late stay in hand, but not by `keys`, in that of this
        thread."""
        found = answers.all() if probe else answers.most()
        failpoints.passes("delivery.sent")
        portions = [Portion.of(send, place) for place, send in enumerate(sends)]
        if not answers.complete and self._left_behind(portions, answers, found, keys):
            portions = [portion for portion in portions if None not in found[portion.place]]
        elif not answers.complete:
            found = answers.all()
        over = [portion.dispatch(found[portion.place]) for portion in portions]
        self._after.settlement.settle(over, self._leasing.holder.owner)

    def _left_behind(self, portions: Sequence[Portion], answers: Answers, found: Answered, keys: set[BatchKey]) -> bool:
        """Write ahead what is certain of those portions that are not answered for, and leave the rest to the one who
        settles what is late. False, and nothing is done, where there is no room for it."""
        divided = [part.divided(found[part.place]) for part in portions if None in found[part.place]]
        exposed = sum(rest.exposed(found[rest.place]) for _, rest in divided)
        if not self._late.reserve(exposed):
            return False
        try:
            certain = [known.dispatch(found[known.place]) for known, _ in divided if known.send.users]
            self._after.settlement.anticipate(certain)
            failpoints.passes("delivery.late")
        except BaseException:
            self._late.release(exposed)
            raise
        self._late.add(Overdue(answers, [rest for _, rest in divided], exposed))
        keys -= {rest.send.batch.key for _, rest in divided}
        return True
