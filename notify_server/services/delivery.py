"""Seeing leased batches through: which of them may be sent, what the channel says of each device, and what follows."""

from collections.abc import Sequence
from dataclasses import dataclass

from notify_server import failpoints
from notify_server.domain.batch import BatchKey
from notify_server.domain.outcome import Outcome
from notify_server.services.answers import Answers
from notify_server.services.completion import Completion
from notify_server.services.gate import Gate
from notify_server.services.late import Late, Overdue, Portion
from notify_server.services.leasing import Leasing
from notify_server.services.load import Load, Page
from notify_server.services.outlet import Outlet, Send
from notify_server.services.preparation import Preparation
from notify_server.services.settlement import Settlement

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
            self._settle_most(sends, answers, self._most(answers, probe), keys)
            failpoints.passes("delivery.completing")
            self._after.completion.check(sorted({page.batch.key.notification for page in load}))

    def settle_late(self, timeout: float) -> None:
        """Settle what was answered late, once it is; wait for that for `timeout` seconds at most."""
        overdue = self._late.take(timeout)
        portions = [(portion, each.answers) for each in overdue for portion in each.portions]
        if not portions:
            return
        with self._leasing.in_hand([Page(portion.send.batch) for portion, _ in portions]):
            settled = [portion.dispatch(answers.all()[portion.place]) for portion, answers in portions]
            self._after.settlement.settle(settled, self._leasing.holder.owner)
            self._after.completion.check(sorted({portion.send.batch.key.notification for portion, _ in portions}))

    def wake(self) -> None:
        """Let `settle_late` return."""
        self._late.wake()

    def finish(self) -> None:
        """Settle everything that is answered late: to be called when no other thread delivers or settles."""
        while self._late:
            self.settle_late(_LOOK)

    def _most(self, answers: Answers, probe: str | None) -> Sequence[Sequence[Outcome | None]]:
        """The answers, without those that are late, where there is room for them."""
        found = answers.all() if probe else answers.most()
        return found if self._late.has_room(found) else answers.all()

    def _settle_most(
        self, sends: Sequence[Send], answers: Answers, found: Sequence[Sequence[Outcome | None]], keys: set[BatchKey]
    ) -> None:
        """Settle what was answered. Batches of which something was not stay in hand, but not in that of this thread,
        whose are those with `keys`."""
        failpoints.passes("delivery.sent")
        portions = [Portion.of(send, place) for place, send in enumerate(sends)]
        over = [portion.dispatch(found[portion.place]) for portion in portions if None not in found[portion.place]]
        self._after.settlement.settle(over, self._leasing.holder.owner)
        divided = [portion.divided(found[portion.place]) for portion in portions if None in found[portion.place]]
        if divided:
            certain = [known.dispatch(found[known.place]) for known, _ in divided if known.send.users]
            self._after.settlement.anticipate(certain)
            failpoints.passes("delivery.late")
            self._late.add(Overdue(answers, [rest for _, rest in divided]))
            keys -= {rest.send.batch.key for _, rest in divided}
