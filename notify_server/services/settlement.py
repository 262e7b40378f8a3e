"""Writing down what a dispatch came to."""

from collections.abc import Sequence
from random import Random

import structlog

from notify_server import metrics
from notify_server.domain.batch import Batch
from notify_server.domain.dispatch import Dispatch, Move, plan
from notify_server.domain.registry import Note, Reason
from notify_server.services.clock import Clock
from notify_server.storage.batches import Batches
from notify_server.storage.devices import Devices
from notify_server.storage.registry import Registry

log = structlog.get_logger()


class Settlement:
    """Writes devices, then entries, then the batch: a crash in between leaves a batch that can be dispatched again."""

    def __init__(self, registry: Registry, devices: Devices, batches: Batches, rng: Random, clock: Clock) -> None:
        self._registry = registry
        self._devices = devices
        self._batches = batches
        self._rng = rng
        self._clock = clock

    def settle(self, dispatch: Dispatch, owner: str) -> None:
        """Record every outcome, and leave no recipient without a batch, a final status or a reason to wait."""
        self._count(dispatch)
        self._devices.deactivate(dispatch.dead(), self._clock())
        notification, stranded = dispatch.notification.id, dispatch.stranded()
        self._strand(notification, stranded)
        decided = plan(dispatch, self._clock(), self._rng)
        for move in decided.moves:
            self._write(notification, move)
        if self._batches.settle(dispatch.batch, owner, decided.successor, decided.split):
            self._rescue(notification, stranded)
        else:
            log.warning("batch lease lost", notification_id=notification)

    def _strand(self, notification: str, users: Sequence[str]) -> None:
        """Note who has no device."""
        if users:
            note = Note(self._clock(), Reason.NO_DEVICE, "no active device; waits for one until it expires")
            self._registry.hold(notification, users, note)

    def _rescue(self, notification: str, users: Sequence[str]) -> None:
        """Queue the stranded for whom a device was registered meanwhile.

        Enrolment writes the device and then looks for waiting entries, we write the entry and then look for devices:
        whichever comes second sees the other, and where both do, they queue the same batch. The dispatched batch is
        settled before, because it may be that same one.
        """
        now = self._clock()
        for user in sorted({user for user, _, _ in self._devices.targets(users)} if users else ()):
            self._batches.add(Batch.awaited(notification, user, now))

    def _write(self, notification: str, move: Move) -> None:
        if move.event is None:
            self._registry.hold(notification, move.users, move.note)
        else:
            self._registry.move(move.event, notification, move.users, move.note)

    def _count(self, dispatch: Dispatch) -> None:
        channel = dispatch.batch.key.channel.value
        for outcome in dispatch.outcomes:
            metrics.OUTCOMES.labels(channel, outcome.kind.value, outcome.reason or "").inc()
