"""The service in one process, made of actors, and what a test must know of it to judge how it ends."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import count
from random import Random

from notify_server.bootstrap import Engine, build_engine, build_gateway
from notify_server.services.briefs import Briefs
from notify_server.services.load import Load
from notify_server.services.rotation import Rotation
from notify_server.storage.documents import Document, Store
from tests.counted import COUNTED
from tests.properties.actors import Actor, Gated, GatedTransport
from tests.services.hesitant import Hesitant
from tests.services.scene import LEASE, Scene

NAMED = ("a", "b", "c", "x", "y", "z")
SILENT = tuple(f"m{number:03}" for number in range(499))  # the rest of the group `crowd`, who have muted its category
NOISE = "noise"
JOBS = ("release", "resend", "expire", "reap", "sweep", "queue")
_EMPTIED = (
    "notifications",
    "registry",
    "batches",
    "devices",
    "paces",
    "workers",
    "groups",
    "leases",
    "resends",
    *COUNTED,
)
_LATE = 0.3  # of the answers
_ROUNDS = 300  # until the world must have come to rest


def populate(database: Store) -> None:
    """Make those users who stay the same in all examples."""
    blank: Document = dict.fromkeys(("community", "email", "locale", "timezone"))
    muted = {"groups": [], "categories": [NOISE]}
    database["users"].insert_many([{"_id": user, "groups": ["crowd"], "muted": muted, **blank} for user in SILENT])


class Worker:
    """One worker process: two expanders, a dispatcher, the loads between them, and one who settles what is late."""

    def __init__(self, engine: Engine, transport: Hesitant) -> None:
        self.engine = engine
        self._transport = transport
        self._sources = (Briefs(engine.expansion), Rotation(engine.expansion))
        self._loads: deque[Load] = deque()

    def expand(self) -> None:
        """One turn of each expander."""
        for source in self._sources:
            source.claim()
            if load := source.step():
                self._loads.append(load)

    def dispatch(self) -> bool:
        """One turn of the dispatcher; whether there was anything to do."""
        load = self._loads.popleft() if self._loads else self.engine.leasing.take()
        if load:
            self.engine.delivery.deliver(load)
        return bool(load)

    def settle(self) -> None:
        """Settle what was answered late."""
        self.engine.delivery.settle_late(0)

    @property
    def waits(self) -> bool:
        """Whether it has sent something whose answers it has not settled."""
        return self._transport.owed > 0

    def resign(self) -> None:
        """Stop politely."""
        self.engine.delivery.finish()
        while self._loads:
            self.engine.leasing.release(self._loads.popleft())
        self.engine.leasing.resign()
        self.engine.governor.leave()

    def work(self) -> None:
        """Expand and dispatch until nothing is due."""
        while True:
            self.expand()
            self.engine.delivery.finish()
            if not self.dispatch() and all(source.idle for source in self._sources):
                return


class World:
    """Processes by name: `worker-0`, `worker-1`, `web`, `scheduler-0`, `scheduler-1`; each role in them is an actor."""

    def __init__(self, scene: Scene) -> None:
        self.real = scene.database
        self.fcm, self.clock, self.config = scene.fcm, scene.clock, scene.config
        self._transport = scene.transport
        self._seeds = count()
        for name in _EMPTIED:
            self.real[name].delete_many({})
        self.real["users"].delete_many({"_id": {"$in": list(NAMED)}})
        self.fcm.behave()
        self.fcm.clear()
        self.scene = Scene(scene.config, Gated(self.real), scene.transport, scene.fcm, scene.clock)  # type: ignore[arg-type]
        services, upkeep = self.scene.services, self.scene.upkeep
        jobs = (
            upkeep.release,
            upkeep.resend,
            upkeep.expire,
            upkeep.reap,
            services.cancellation.sweep,
            services.resending.queue,
        )
        self.jobs: Mapping[str, Callable[[], int]] = dict(zip(JOBS, jobs, strict=True))
        self.gateway = build_gateway(self.config, self.real, self.clock).announcements
        self.announced = self.gateway.last()  # how far the gateway is
        self.workers = {name: self.spare() for name in ("worker-0", "worker-1")}
        self._actors: dict[tuple[str, str], Actor] = {}
        self.disturbed = False  # whether a process died or was suspended: then FCM may have got something twice

    def spare(self) -> Worker:
        """One more worker."""
        rng = Random(next(self._seeds))  # noqa: S311 - not a secret
        transport = Hesitant(GatedTransport(self._transport), lambda _: rng.random() < _LATE)
        engine = build_engine(self.config, Gated(self.real), transport, self.clock, rng)  # type: ignore[arg-type]
        return Worker(engine, transport)

    def act(self, process: str, role: str, act: Callable[[], object], operations: int | None) -> bool:
        """Let a role act for so many operations, or go on with what it was about; False in the latter case."""
        actor = self._actors.get((process, role))
        begun = actor is None
        if actor is None:
            actor = self._actors[process, role] = Actor(act)
        actor.go(operations)
        if actor.over:
            del self._actors[process, role]
        return begun

    def resume(self, process: str, role: str) -> None:
        """Let a role that is in the middle of something go on to the end of it."""
        if actor := self._actors.pop((process, role), None):
            actor.go()

    def acting(self, process: str, role: str) -> bool:
        """Whether this role is in the middle of something."""
        return (process, role) in self._actors

    def suspended(self, process: str) -> bool:
        """Whether a role of this process is in the middle of something."""
        return any(name == process for name, _ in self._actors)

    def busy(self, process: str) -> bool:
        """Whether a role of this process is in the middle of something, or FCM of what it sent."""
        return self.suspended(process) or (process in self.workers and self.workers[process].waits)

    def kill(self, process: str) -> list[tuple[str, str]]:
        """End every role of a process where it stands; another process takes its place. Who was acting."""
        self.disturbed |= self.busy(process)
        acting = [name for name in self._actors if name[0] == process]
        for name in acting:
            self._actors.pop(name).kill()
        if process in self.workers:
            self.workers[process] = self.spare()
        return acting

    def finish(self) -> None:
        """Let everybody who is in the middle of something go on to its end."""
        while self._actors:
            self._actors.popitem()[1].go()

    def forward(self, seconds: float) -> None:
        """Let time pass for all; a worker that stands still meanwhile may lose its leases."""
        still = {worker for worker in self.workers if self.suspended(worker)}
        waiting = [worker for name, worker in self.workers.items() if worker.waits and name not in still]
        self.disturbed |= bool(still) or (bool(waiting) and seconds >= LEASE)
        self.clock.forward(seconds)
        for worker in waiting:
            worker.engine.leasing.renew()

    def rest(self, judge: Callable[[], None]) -> None:
        """Let workers and schedulers work, and time pass, until nothing is due any more.

        `judge` is called whenever all has been done that was due by then.
        """
        for _ in range(_ROUNDS):
            self.upkeep()
            self.workers["worker-0"].work()
            judge()
            due = min(self._due(), default=None)
            if due is None:
                return
            self.clock.now = max(self.clock.now, due)
        raise AssertionError("the world does not come to rest")

    def upkeep(self) -> None:
        """Every job of the scheduler."""
        for job in self.jobs.values():
            job()

    def _due(self) -> Iterator[datetime]:
        """When something is to be done."""
        queued = {"stage": {"$in": ["dispatch", "confirm"]}, "_id.c": "push"}
        yield from (batch["due_at"] for batch in self.real["batches"].find(queued, {"due_at": 1}))
        for found in self.real["notifications"].find({"$or": [{"expanded": False}, {"open": True}]}):
            yield found["expires_at"] if found["expanded"] else found["due_at"]
