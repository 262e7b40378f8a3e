"""Entering pages of realtime notifications: with a number, in the one order that every gateway follows."""

from collections.abc import Sequence
from dataclasses import dataclass

from notify_server.domain.batch import Batch
from notify_server.services.arrival import Arrival, Selection
from notify_server.services.holder import Holder
from notify_server.services.load import Entered
from notify_server.storage.sequences import NewPage, Sequences
from notify_server.storage.signals import Signals, Work


@dataclass(frozen=True, slots=True)
class Opening:
    """A page: who is in it, where it begins, and its batches."""

    selection: Selection
    cursor: str
    batches: Sequence[Batch]


class Sequencing:
    """Makes pages visible to gateways, each once, however often a crash repeats it."""

    def __init__(self, sequences: Sequences, arrival: Arrival, signals: Signals, holder: Holder) -> None:
        self._sequences = sequences
        self._arrival = arrival
        self._signals = signals
        self._holder = holder

    def enter(self, openings: Sequence[Opening], *, new: bool = False) -> list[Entered] | None:
        """Write and announce the pages, all in one transaction; who is to be sent to, for each.

        None where one was entered before, or a lease was lost, or one that is to be `new` has batches already: then
        nothing was written.
        """
        now = self._holder.now()
        arrivals = self._arrival.prepare([opening.selection for opening in openings], now)
        pages = [
            NewPage(opening.cursor, opening.batches, page) for opening, page in zip(openings, arrivals, strict=True)
        ]
        if not self._sequences.enter(pages, self._holder.owner, now, new=new):
            return None
        self._signals.send({Work.ANNOUNCEMENT})
        return self._arrival.conclude([opening.selection for opening in openings], arrivals, now)
