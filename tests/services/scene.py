"""The service in one process: what web, worker and scheduler call, at one database, by a clock that tests move."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from notify_server.bootstrap import Engine, Services, build_engine, build_services, build_upkeep
from notify_server.config import Config
from notify_server.domain.batch import Rank
from notify_server.domain.device import Platform
from notify_server.domain.notification import Audience, Channel, Message
from notify_server.domain.push import PushTransport
from notify_server.services.acceptance import Draft
from notify_server.services.briefs import Briefs
from notify_server.services.enrolment import Installation
from notify_server.services.load import Load, Page
from notify_server.services.rotation import Rotation
from notify_server.services.upkeep import Upkeep
from notify_server.storage.documents import Document, Store, object_id
from notify_server.storage.expansions import Claim
from tests.builders import StoppedClock, a_target
from tests.fcm_simulator import SimulatorProcess
from tests.invariants import Evidence, violations

HELLO = Message("Booking confirmed", "Monday 9:00")
LEASE = 30.0  # seconds


@dataclass
class Scene:
    """`engine` is one worker; `worker()` is another one."""

    config: Config
    database: Store
    transport: PushTransport
    fcm: SimulatorProcess
    clock: StoppedClock

    def __post_init__(self) -> None:
        self._engines: list[Engine] = []
        self.begin()

    def begin(self) -> None:
        """Build everything by the configuration as it is now."""
        self.services: Services = build_services(self.config, self.database, self.clock)
        self.engine: Engine = self.worker()
        self.upkeep: Upkeep = build_upkeep(self.config, self.database, self.clock)[1]

    def worker(self, database: Any = None, transport: PushTransport | None = None) -> Engine:
        """A worker of its own; on `database` where it is to see another than the others do."""
        made = build_engine(self.config, database or self.database, transport or self.transport, self.clock)
        self._engines.append(made)
        return made

    def close(self) -> None:
        """Let go of connections to mail servers."""
        for engine in self._engines:
            engine.mailing.close()

    def accept(self, *users: str, **draft: Any) -> str:
        """Hand over a notification to `users` and `groups`; the rest as in Draft. Its id."""
        names = ("groups", "communities", "everyone")
        audience = Audience(tuple(sorted(users)), **{name: draft.pop(name) for name in names if name in draft})
        payload = Draft(draft.pop("message", HELLO), audience, **draft)
        return self.services.acceptance.accept(payload, "tests", None).id

    def register(self, user: str, device: str = "phone", target: str | None = None) -> None:
        """Let `user` have a device; its target is `target` or else `{user}:{device}`."""
        installation = Installation(Platform.ANDROID, a_target(target or f"{user}:{device}"))
        self.services.enrolment.register(user, device, installation)

    def loads(self, engine: Engine | None = None) -> Iterator[Load]:
        """Expand everything that waits, in the order of a worker; what is for push."""
        expansion = (engine or self.engine).expansion
        sources = (Briefs(expansion), Rotation(expansion))
        while any(source.claim() or not source.idle for source in sources):
            for source in sources:
                if load := source.step():
                    yield load

    def expand(self, engine: Engine | None = None) -> list[Page]:
        """Expand everything that waits; the pages for push."""
        return [page for load in self.loads(engine) for page in load]

    def work(self, engine: Engine | None = None) -> None:
        """Let a worker expand and dispatch until nothing is due."""
        worker = engine or self.engine
        for load in list(self.loads(worker)):
            worker.delivery.deliver(load)
        while load := worker.leasing.take():
            worker.delivery.deliver(load)

    def mail(self, engine: Engine | None = None) -> None:
        """Let a worker expand what waits, and mail until nothing is due, or nothing gets through."""
        worker = engine or self.engine
        for load in list(self.loads(worker)):
            worker.leasing.release(load)
        while not worker.mailing.paused and (load := worker.leasing.take(channel=Channel.EMAIL)):
            worker.mailing.mail(load)

    def address(self, *users: str) -> None:
        """Give users addresses: what comes before an @ in a user's id is the mailbox, else all of it."""
        for user in users:
            self.services.people.put(user, {"email": f"{user.partition('@')[0]}@example.org"})

    def mails(self, notification: str) -> dict[str, Document]:
        """The lines of the mail registry, by user."""
        return {found["user"]: found for found in self.database["mails"].find({"n": object_id(notification)})}

    def entry(self, notification: str, user: str) -> Document:
        """One registry entry as it stands."""
        found = self.database["registry"].find_one({"_id": {"n": object_id(notification), "u": user}})
        assert found is not None, f"{user} has no entry"
        return found

    def standing(self, notification: str) -> Mapping[str, tuple[str, str | None]]:
        """Status and reason of each recipient."""
        found = self.database["registry"].find({"_id.n": object_id(notification)})
        return {entry["_id"]["u"]: (entry["status"], entry["reason"]) for entry in found}

    def state(self, notification: str) -> str:
        """The state of a notification."""
        return self.services.inspection.get(notification).notification.state

    def batches(self, notification: str) -> list[Document]:
        """The batches that are left of a notification."""
        return list(self.database["batches"].find({"_id.n": object_id(notification)}).sort("due_at", 1))

    def accepted(self) -> list[str]:
        """The targets that FCM accepted a message for, in that order."""
        return [row["target"] for row in self.fcm.messages(outcome="accepted")]

    def violations(self, notification: str, *, figures: bool = True) -> list[str]:
        """The invariants that do not hold now that nothing is in flight.

        The `figures` are those of all notifications: of several, one need ask for them.
        """
        return violations(Evidence(self.database, notification, self.fcm.messages()), figures=figures)


def claims(engine: Engine) -> list[Claim]:
    """Lease everything that waits to be expanded."""
    return engine.expansion.claim(list(Rank), 1000)
