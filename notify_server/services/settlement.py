"""Writing down what some dispatches came to."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random

import structlog

from notify_server import failpoints, metrics
from notify_server.domain.batch import Batch
from notify_server.domain.dispatch import Dispatch, Owned, Plan, plan
from notify_server.domain.notification import Channel, Notification
from notify_server.domain.registry import Event, Note, Reason
from notify_server.services.clock import Clock
from notify_server.services.load import who
from notify_server.storage.batches import Batches, Settled
from notify_server.storage.devices import Devices
from notify_server.storage.joint import Joint
from notify_server.storage.registry import Registry

log = structlog.get_logger()

Part = tuple[str, Sequence[str]]  # a notification, and some of its users


@dataclass(frozen=True, slots=True)
class Stores:
    """What is written."""

    registry: Registry
    joint: Joint
    devices: Devices
    batches: Batches


class Settlement:
    """Writes devices, then entries, then batches: a crash in between leaves batches that can be dispatched again."""

    def __init__(self, stores: Stores, rng: Random, clock: Clock) -> None:
        self._registry = stores.registry
        self._joint = stores.joint
        self._devices = stores.devices
        self._batches = stores.batches
        self._rng = rng
        self._clock = clock

    def settle(self, dispatches: Sequence[Dispatch], owner: str) -> None:
        """Record every outcome, and leave no recipient without a batch, a final status or a reason to wait."""
        if not dispatches:
            return
        now = self._clock()
        self._count(dispatches)
        self._devices.deactivate(_dead(dispatches), now)
        failpoints.passes("settlement.devices")
        stranded = [dispatch.stranded() for dispatch in dispatches]
        self._strand(dispatches, stranded, now)
        plans = [plan(self._apart(dispatch), now, self._rng) for dispatch in dispatches]
        self._move(dispatches, plans)
        failpoints.passes("settlement.entries")
        self._rescue(dispatches, stranded, owner)
        failpoints.passes("settlement.rescue")
        settled = [Settled(d.batch, p.successor, p.split) for d, p in zip(dispatches, plans, strict=True)]
        if kept := self._batches.settle(settled, owner):
            log.warning("batches not settled: lease lost, or called again", count=kept)
            self._batches.let_go([dispatch.batch.key for dispatch in dispatches], owner, self._clock())
        failpoints.passes("settlement.batches")

    def anticipate(self, dispatches: Sequence[Dispatch]) -> None:
        """Record outcomes that are final, of dispatches that are not over: they are to be settled without these."""
        now = self._clock()
        self._count(dispatches)
        self._devices.deactivate(_dead(dispatches), now)
        self._move(dispatches, [plan(dispatch, now, self._rng) for dispatch in dispatches])

    def refuse(self, batch: Batch, notification: Notification, note: Note, owner: str) -> None:
        """No device can be sent this: push has come to its end for a batch, and what is mailed as well may go on."""
        users = {notification.id: batch.users}
        if Channel.EMAIL in notification.channels:
            self._joint.unpushable(users, note)
        else:
            self._registry.move(Event.FAIL, users, note)
        self._registry.pushed(users, note)
        self._batches.settle([Settled(batch)], owner)

    def _apart(self, dispatch: Dispatch) -> Dispatch:
        """Where a dead owner has sent some of it: less those who were stranded then, and have had a device since."""
        batch = dispatch.batch
        others = set(batch.users).difference(dispatch.users)
        if not others or batch.resends or batch.is_awaited:
            return dispatch
        awaited = self._batches.awaited(dispatch.notification.id, sorted(others))
        return replace(dispatch, elsewhere=awaited.union(dispatch.elsewhere))

    def _strand(self, dispatches: Sequence[Dispatch], stranded: Sequence[Sequence[str]], now: datetime) -> None:
        """Note who has no device."""
        parts = [(d.notification.id, users) for d, users in zip(dispatches, stranded, strict=True) if users]
        note = Note(now, Reason.NO_DEVICE, "no active device; waits for one until it expires")
        self._hold(parts, note, _shared(dispatches))

    def _hold(self, parts: Sequence[Part], note: Note, shared: Collection[str]) -> None:
        """Note why some are not sent to yet; of `shared` notifications, another channel may have told them."""
        for told in (False, True):
            if some := [part for part in parts if (part[0] in shared) is told]:
                self._registry.hold(who(some), note, told=told)

    def _rescue(self, dispatches: Sequence[Dispatch], stranded: Sequence[Sequence[str]], owner: str) -> None:
        """Queue the `stranded` of each dispatch for whom a device was registered meanwhile.

        Enrolment writes the device and then looks for waiting entries, we write the entry and then look for devices:
        whichever comes second sees the other. Where both do, or where this is the very batch that enrolment queued
        before, it is called: what is called is not settled. Who lost the lease leaves it to the new owner.
        """
        users = {user for each in stranded for user in each}
        reached = {user for user, _, _ in self._devices.targets(sorted(users))} if users else set()
        for dispatch, each in zip(dispatches, stranded, strict=True):
            waiting = reached.intersection(each)
            if waiting and self._batches.holds(owner, dispatch.batch):
                for user in sorted(waiting):
                    self._batches.call(Batch.awaited(dispatch.notification.id, user, self._clock()))

    def _move(self, dispatches: Sequence[Dispatch], plans: Sequence[Plan]) -> None:
        """Write the moves, equal ones of all dispatches with one update."""
        alike: dict[tuple[Event | None, Note], list[Part]] = defaultdict(list)
        shared, mailed = _shared(dispatches), _mailed(dispatches)
        for dispatch, planned in zip(dispatches, plans, strict=True):
            for move in planned.moves:
                alike[move.event, move.note].append((dispatch.notification.id, move.users))
        for (event, note), parts in alike.items():
            if event is None:
                self._hold(parts, note, shared)
                continue
            moved = parts
            if event is Event.FAIL and (waiting := [part for part in parts if part[0] in mailed]):
                self._joint.unpushable(who(waiting), note)
                moved = [part for part in parts if part[0] not in mailed]
            if moved:
                self._registry.move(event, who(moved), note)
            if live := [part for part in parts if part[0] in shared]:
                self._registry.pushed(who(live), note)

    def _count(self, dispatches: Sequence[Dispatch]) -> None:
        counts = Counter(
            (dispatch.batch.key.channel.value, outcome.kind.value, outcome.reason or "")
            for dispatch in dispatches
            for outcome in dispatch.outcomes
        )
        for labels, count in counts.items():
            metrics.OUTCOMES.labels(*labels).inc(count)


def _shared(dispatches: Sequence[Dispatch]) -> set[str]:
    """The notifications that go by another channel as well, which may have got through before."""
    return {d.notification.id for d in dispatches if len(d.notification.channels) > 1}


def _mailed(dispatches: Sequence[Dispatch]) -> set[str]:
    """Those of them that go by mail."""
    return {d.notification.id for d in dispatches if Channel.EMAIL in d.notification.channels}


def _dead(dispatches: Sequence[Dispatch]) -> Mapping[Reason, Sequence[Owned]]:
    dead: dict[Reason, list[Owned]] = defaultdict(list)
    for dispatch in dispatches:
        for reason, devices in dispatch.dead().items():
            dead[reason] += devices
    return dead
