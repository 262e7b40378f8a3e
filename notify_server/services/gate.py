"""Which leased batches may be sent as things are now, whatever their channel; the others end, or wait."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from notify_server.domain.batch import Batch
from notify_server.domain.notification import State
from notify_server.domain.registry import Event, Note, Reason
from notify_server.services.leasing import Leasing
from notify_server.services.load import Load, Page
from notify_server.storage.batches import Batches, Settled
from notify_server.storage.expansions import Expansions, Progress
from notify_server.storage.registry import Registry

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Gate:
    """Looks at the notification of each batch, and at its lease."""

    batches: Batches
    expansions: Expansions
    registry: Registry
    leasing: Leasing

    def pass_open(self, load: Load) -> list[Page]:
        """Those that are to be sent; with the others, what is to be done instead has been done."""
        progress = self.expansions.progress(sorted({page.batch.key.notification for page in load}))
        now = self.leasing.holder.now()
        return [page for page in load if self._is_open(page.batch, progress, now)]

    def _end(self, batch: Batch, event: Event, note: Note, *, mailed: bool) -> None:
        """Nothing of this batch is sent any more.

        Where it is `mailed` as well it does not follow that nobody was reached: FCM, or a mail service, may be asked at
        this moment. Such entries are ended by the scheduler, which looks at what is held.
        """
        if not mailed:
            self.registry.move(event, {batch.key.notification: batch.users}, note)
            self.registry.pushed({batch.key.notification: batch.users}, note)
        self.batches.settle([Settled(batch)], self.leasing.holder.owner)

    def _is_open(self, batch: Batch, progress: Mapping[str, Progress], now: datetime) -> bool:
        found = progress.get(batch.key.notification)
        if found is None:
            self.batches.settle([Settled(batch)], self.leasing.holder.owner)
        elif not found.covers(batch.key.page):
            self.leasing.postpone(batch)
        elif not self.leasing.holds(batch):
            log.warning("batch lease lost", notification_id=batch.key.notification)
        elif found.state is State.CANCELLED:
            self._end(batch, Event.CANCEL, Note(now, Reason.CANCELLED_BY_BACKEND), mailed=found.mailed)
        elif now >= found.expires_at:
            self._end(batch, Event.EXPIRE, Note(now, Reason.TTL_OVER), mailed=found.mailed)
        else:
            return True
        return False
