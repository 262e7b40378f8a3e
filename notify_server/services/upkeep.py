"""What time brings about: the jobs of the scheduler. Each is idempotent, so it does no harm to run one twice."""

from dataclasses import dataclass
from math import inf

import structlog

from notify_server import failpoints, metrics
from notify_server.domain.registry import Event, Note, Reason
from notify_server.services.clock import Clock
from notify_server.services.completion import Completion
from notify_server.storage.backlog import Backlog
from notify_server.storage.expansions import Expansions
from notify_server.storage.registry import Registry
from notify_server.storage.signals import AUDIENCES, Signals, Work

log = structlog.get_logger()

_AT_ONCE = 100  # notifications expired or finished in one run


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Releases, resends, expires and reaps."""

    expansions: Expansions
    backlog: Backlog
    registry: Registry
    signals: Signals
    clock: Clock

    def until_release(self) -> float:
        """Seconds until the next scheduled notification is due: infinity where none is, 0 or less where one is."""
        due_at = self.expansions.next_release()
        return inf if due_at is None else (due_at - self.clock()).total_seconds()

    def release(self) -> int:
        """Let scheduled notifications go whose time has come. Returns how many."""
        released = self.expansions.release(self.clock())
        if released:
            failpoints.passes("release.released")
            self.signals.send(AUDIENCES)
            log.info("scheduled notifications released", count=released)
        return released

    def resend(self) -> int:
        """Queue batches again whose time to be confirmed is over. Returns how many.

        One atomic update a batch: whichever scheduler does it, a worker then leases the batch, and each entry counts
        its resends, so no entry is sent again twice.
        """
        recalled = self.backlog.recall(self.clock())
        if recalled:
            failpoints.passes("resend.recalled")
            self.signals.send({Work.PUSH})
            metrics.RESENT.inc(recalled)
            log.info("batches recalled for resend", count=recalled)
        return recalled

    def expire(self) -> int:
        """End what could not be sent within its time to live. Returns how many entries.

        What is being sent at this moment comes first to its end: FCM may have accepted it in time.
        """
        expired = 0
        for notification in self.expansions.expired(self.clock(), _AT_ONCE):
            if self.backlog.held(notification, self.clock()):
                continue
            note = Note(self.clock(), Reason.TTL_OVER, "its time to live is over")
            count = self.registry.move_all(Event.EXPIRE, notification, note)
            failpoints.passes("expire.entries")
            self.backlog.drop(notification)
            failpoints.passes("expire.batches")
            self.expansions.close(notification)
            log.info("notification closed", notification_id=notification, expired=count)
            expired += count
        metrics.EXPIRED.inc(expired)
        return expired

    def reap(self) -> int:
        """Take dead owners off their leases, so that an operator sees whom work was taken from. Returns how many.

        An owner that died between its last batch and the end of the notification left nothing to lease: those
        notifications are ended here.
        """
        Completion(self.expansions, self.backlog).check(self.expansions.unfinished(_AT_ONCE))
        failpoints.passes("reap.done")
        now = self.clock()
        reaped = self.backlog.reap(now)
        failpoints.passes("reap.batches")
        reaped += self.expansions.reap(now)
        if reaped:
            metrics.REAPED.inc(reaped)
            log.warning("leases of dead owners reaped", count=reaped)
        return reaped
