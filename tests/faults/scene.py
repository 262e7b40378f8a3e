"""Where a fault happens: people with devices, the service's processes, an FCM, and what became of each recipient."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from bson import ObjectId
from pymongo.database import Database

from notify_server.bootstrap import Services, build_services
from notify_server.config import Config
from notify_server.domain.notification import Audience, Message
from notify_server.services.acceptance import Draft
from notify_server.storage.database import connect
from notify_server.storage.notifications import Notifications
from tests.fcm_simulator import SimulatorProcess
from tests.invariants import Evidence, violations
from tests.service import Service, until

BATCH = 500  # recipients
_COUNTED = ("changes", "tallies", "statistics", "archive")
_OF_NOTIFICATIONS = ("notifications", "registry", "batches", "resends", "mails", "mail_contents", *_COUNTED)
WINDOW = Config.worker_threads * BATCH  # what one worker has in flight: each thread sends one batch at a time
PAUSE = 0.5  # seconds without a send that count as standing still
SLOW = {"min": 0.1, "max": 0.2}  # seconds an answer of FCM takes, so that a dispatch has a middle to be hit
SLOWER = {"min": 0.4, "max": 0.6}  # the same, where much is to be left when some is sent
_CHUNK = 5000  # documents written at once

Document = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """What one fault cost. `window` is how many duplicates it may cost, `within` how many seconds."""

    fault: str
    recipients: int
    lost: int
    duplicates: int
    window: int
    seconds: float
    within: float

    @property
    def passed(self) -> bool:
        """Whether that is within bounds."""
        return self.lost == 0 and self.duplicates <= self.window and self.seconds <= self.within


@dataclass
class Scene:
    """A migrated database in `service.config`, FCM at `fcm`. `rows` collects what each fault cost."""

    service: Service
    fcm: SimulatorProcess
    rows: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.database: Database[Document] = connect(self.service.config)
        self.services: Services = build_services(self.service.config, self.database)
        self._faulty_since = datetime.now(UTC)
        self._over_at: datetime | None = None

    def close(self) -> None:
        """End every process and forget what they did; the people stay."""
        self.service.__exit__(None, None, None)
        for name in (*_OF_NOTIFICATIONS, "leases", "paces", "workers", "mailers", "settings", "blocked_addresses"):
            self.database[name].delete_many({})
        self.database.client.close()

    def accept(self, *, message: Message | None = None, **draft: Any) -> str:
        """Hand a notification over; `groups` and `users` are its audience, the rest as in Draft. Its id."""
        audience = Audience(users=tuple(draft.pop("users", ())), groups=tuple(draft.pop("groups", ())))
        payload = Draft(message or Message(title="Hello", body="World"), audience, **draft)
        return self.services.acceptance.accept(payload, "tests", None).id

    def notification(self, notification: str) -> Document:
        """Its document as it stands."""
        found = self.database.notifications.find_one({"_id": ObjectId(notification)}, {"audience": 0})
        assert found is not None
        return found

    def count(self, notification: str, **conditions: Any) -> int:
        """How many of its entries meet `conditions`."""
        return self.database.registry.count_documents({"_id.n": ObjectId(notification), **conditions})

    def done(self, *notifications: str) -> bool:
        """Whether every recipient of all these has been dealt with."""
        ids = [ObjectId(notification) for notification in notifications]
        return self.database.notifications.count_documents({"_id": {"$in": ids}, "state": "done"}) == len(ids)

    def await_done(self, *notifications: str) -> None:
        """Wait until every recipient of all these has been dealt with."""
        until(lambda: self.done(*notifications), "every recipient is dealt with")

    def over(self, notification: str) -> bool:
        """Whether its audience is expanded and nobody of it is pending."""
        return bool(self.notification(notification)["expanded"]) and self.count(notification, status="pending") == 0

    def cancel(self, notification: str) -> bool:
        """Take it back."""
        return Notifications(self.database).cancel(notification)

    def evidence(self, notification: str) -> Evidence:
        """What the database and FCM's log say of it now."""
        return self.evidence_in(notification, self.fcm.messages())

    def evidence_in(self, notification: str, log: Sequence[Mapping[str, Any]]) -> Evidence:
        """What the database and this `log` of FCM say of it."""
        return Evidence(self.database, notification, log)

    def begin(self) -> None:
        """The fault happens now."""
        self._faulty_since, self._over_at = datetime.now(UTC), None

    def end(self) -> None:
        """Everything is over now; what is only recorded later needs to say so."""
        self._over_at = datetime.now(UTC)

    def record(
        self,
        fault: str,
        evidence: Evidence,
        recipients: Sequence[str],
        sends: int = 1,
        *,
        window: int = WINDOW,
        within: float | None = None,
    ) -> None:
        """Note what the fault cost; everything is over, now if `end` was not called. `recipients` were to be sent it
        `sends` times each.

        It may cost `window` duplicates, and `within` seconds to recover: two lease times, if nothing else is said.
        """
        over_at = self._over_at or datetime.now(UTC)
        seconds = idle(self._faulty_since, over_at, [moment(row) for row in evidence.sends])
        lost = len(set(recipients) - evidence.reached)
        duplicates = sum(max(0, count - sends) for count in evidence.accepted.values())
        allowed = 2 * self.service.config.lease if within is None else within
        self.rows.append(Row(fault, len(recipients), lost, duplicates, window, seconds, allowed))

    def sound(self, evidence: Evidence, *, figures: bool = True) -> None:
        """Assert that every invariant holds and that no process met an error it had not foreseen.

        The `figures` are those of all notifications: of several, one need ask for them.
        """
        found, failures = violations(evidence, figures=figures), self.service.failures()
        assert not found, found
        assert not failures, failures

    def sent_to_all(
        self, fault: str, notification: str, recipients: Sequence[str], sends: int = 1, **bounds: Any
    ) -> Evidence:
        """Assert that all `recipients` ended sent and were reached; note what the fault cost, as `record` does."""
        evidence = self.evidence(notification)
        self.record(fault, evidence, recipients, sends, **bounds)
        self.sound(evidence)
        assert sorted(evidence.having("sent")) == sorted(recipients)
        return evidence


def moment(row: Mapping[str, Any]) -> datetime:
    """When a message came to FCM."""
    return datetime.fromisoformat(row["at"])


def idle(since: datetime, end: datetime, sends: Iterable[datetime]) -> float:
    """Seconds between `since` and `end` in which nothing was sent for longer than PAUSE: the time to recover.

    The rest of the time went into the work that the fault had left undone, and would have been needed without it.
    """
    times = [since, *sorted(at for at in sends if since <= at <= end), end]
    pauses = ((after - before).total_seconds() for before, after in pairwise(times))
    return sum(pause for pause in pauses if pause > PAUSE)


def names(count: int, prefix: str = "user") -> list[str]:
    """The ids of so many people, sorted."""
    return [f"{prefix}-{number:05}" for number in range(count)]


def target(user: str) -> str:
    """The FCM token of the user's device; it begins with the user's id."""
    return f"{user}:{'t' * 130}"


def populate(database: Database[Document], users: Sequence[str], groups: Mapping[str, int]) -> None:
    """Store `users` with one device each; the first so many of them are members of each of `groups`."""
    members = {group: set(users[:count]) for group, count in groups.items()}
    now = datetime.now(UTC)
    for chunk in (users[start : start + _CHUNK] for start in range(0, len(users), _CHUNK)):
        database.users.insert_many(_people(chunk, members, now), ordered=False)
        database.devices.insert_many(_devices(chunk, now), ordered=False)


def _people(users: Sequence[str], members: Mapping[str, set[str]], now: datetime) -> Iterator[Document]:
    profile = dict.fromkeys(("community", "email", "locale", "timezone"))
    muted: Document = {"groups": [], "categories": []}
    for user in users:
        groups = [group for group, belonging in members.items() if user in belonging]
        yield {"_id": user, **profile, "groups": groups, "muted": muted, "created_at": now, "updated_at": now}


def _devices(users: Sequence[str], now: datetime) -> Iterator[Document]:
    unknown = dict.fromkeys(("app_version", "locale", "reason", "deactivated_at"))
    times = {"registered_at": now, "confirmed_at": now}
    for user in users:
        identity = {"_id": {"u": user, "d": "phone"}, "target": f"token:{target(user)}"}
        yield {**identity, "platform": "android", "active": True, **times, **unknown}


def scene_at(mongodb_uri: str, database: str, fcm: SimulatorProcess, directory: Path, **settings: Any) -> Scene:
    """A scene whose processes run with `settings` (fields of Config) and notice soon what others did."""
    usual = {"lease": 2.0, "poll": 0.2, "scheduler_interval": 0.2}
    return Scene(Service(mongodb_uri, database, fcm, directory, **usual | settings), fcm)
