"""What must hold of the world: after each step, when everybody has done what was due, and at the end."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from bson import ObjectId

from notify_server.domain.registry import TRANSITIONS, Reason, Status
from notify_server.storage.documents import Document, object_id
from tests.invariants import Evidence, violations
from tests.properties.world import NAMED, SILENT, World

_MOVES = {(source, move.target) for move in TRANSITIONS.values() for source in move.sources}
_UNSENT = {Status.SUPPRESSED, Status.FAILED, Status.EXPIRED, Status.CANCELLED}
_GONE = {"unregistered", "invalid_argument"}  # outcomes of the simulator

# What the shared checker takes for granted, and this world does not: nobody joins or leaves, a target has one owner,
# and what is dead stays dead. Each is checked here instead.
_LOOSE = (
    "has no entry",
    "was not addressed",
    "whose user has",
    "its target is dead",
    "never called its target dead",
)


@dataclass
class Expected:
    """Who must be a recipient of a notification, and who may be one: members come and go while it is expanded."""

    must: set[str]
    may: set[str]
    push: bool


@dataclass
class Ledger:
    """What a test has done to the world, as far as it changes what may come of it."""

    notifications: dict[str, Expected] = field(default_factory=dict)
    owners: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # by target, past ones included
    emitted: set[tuple[str, str]] = field(default_factory=set)
    histories: dict[tuple[ObjectId, str], list[Document]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Known(Evidence):
    """Evidence that knows the owners of targets from the ledger, not from devices that may be gone."""

    known: Mapping[str, set[str]]

    @property
    def owners(self) -> Mapping[str, set[str]]:  # type: ignore[override]
        return self.known


def at_each_step(world: World, ledger: Ledger) -> list[str]:
    """What holds at any moment, whoever is in the middle of whatever."""
    entries = list(world.real["registry"].find({"_id.u": {"$in": list(NAMED)}}))
    batches = list(world.real["batches"].find({"_id.c": "push"}))
    return [*_histories(entries, ledger), *_queued(world, entries, batches, ledger)]


def _histories(entries: list[Document], ledger: Ledger) -> Iterator[str]:
    """Histories follow TRANSITIONS, are never rewritten, and no entry goes."""
    for entry in entries:
        key, history = (entry["_id"]["n"], entry["_id"]["u"]), entry["history"]
        earlier = ledger.histories.get(key, [])
        statuses = [Status(line["status"]) for line in history]
        steps = [
            (None, statuses[0]),
            *(step for step in pairwise(statuses) if step != (Status.PENDING, Status.PENDING)),
        ]
        if history[: len(earlier)] != earlier:
            yield f"the history of {key} was rewritten"
        if not _MOVES.issuperset(steps) or statuses[-1] != entry["status"]:
            yield f"{key} is {entry['status']} by way of {statuses}"
        if entry["sent_at"] is not None and entry["status"] in _UNSENT:
            yield f"{key} is {entry['status']}, and was sent at {entry['sent_at']}"
        ledger.histories[key] = history
    gone = set(ledger.histories) - {(entry["_id"]["n"], entry["_id"]["u"]) for entry in entries}
    yield from (f"the entry {key} is gone" for key in sorted(gone))


def _queued(world: World, entries: list[Document], batches: list[Document], ledger: Ledger) -> Iterator[str]:
    """Whoever is pending, or sent by a socket alone, is in a batch that will be sent, or waits for a device."""
    queued = {(batch["_id"]["n"], user) for batch in batches if batch["stage"] == "dispatch" for user in batch["users"]}
    for entry in entries:
        key = (entry["_id"]["n"], entry["_id"]["u"])
        if not _is_unsent(entry) or entry["reason"] == Reason.NO_DEVICE or key in queued:
            continue
        if ledger.notifications[str(key[0])].push and (
            entry["status"] == Status.PENDING or not _is_over(world, key[0])
        ):
            yield f"{key} is {entry['status']} ({entry['reason']}) and in no batch"


def _is_over(world: World, notification: ObjectId) -> bool:
    """Nothing of it is sent any more: what a socket was told of stays as it is."""
    over = {"$or": [{"state": "cancelled"}, {"open": False}, {"expires_at": {"$lte": world.clock()}}]}
    return world.real["notifications"].find_one({"_id": notification} | over) is not None


def _is_unsent(entry: Document) -> bool:
    told_alone = entry["status"] == Status.SENT and "unpushed" in entry and "muted" not in entry
    return entry["status"] == Status.PENDING or told_alone


def at_rest(world: World, ledger: Ledger) -> list[str]:
    """What holds when all that was due has been done, and nobody is in the middle of anything."""
    return [*at_each_step(world, ledger), *_batches(world), *_waiting(world)]


def _batches(world: World) -> Iterator[str]:
    """A recipient is in one batch at most."""
    found = world.real["batches"].find({"_id.c": "push"})
    places = Counter((batch["_id"]["n"], user) for batch in found for user in batch["users"])
    yield from (f"{key} is in {times} batches" for key, times in places.items() if times > 1)


def _of_one(world: World, ledger: Ledger, identity: str, log: list[Document]) -> Iterator[str]:
    evidence = _Known(world.real, identity, log, ledger.owners)

    def spare(problem: str) -> bool:
        emitted = problem.startswith("b: ") and (identity, problem.split()[1]) in ledger.emitted
        return emitted or any(loose in problem for loose in _LOOSE)

    yield from (f"{identity} {problem}" for problem in violations(evidence, spare=spare))
    yield from _recipients(evidence, ledger)
    yield from _accepted(evidence, ledger, disturbed=world.disturbed)


def _recipients(evidence: Evidence, ledger: Ledger) -> Iterator[str]:
    """Who must be a recipient is one, and nobody is who may not."""
    expected = ledger.notifications[evidence.notification_id]
    entered = {entry["_id"]["u"] for entry in evidence.entries}
    yield from (f"{user} has no entry" for user in sorted(expected.must - entered))
    yield from (f"{user} was never addressed" for user in sorted(entered - expected.may))


def _accepted(evidence: Evidence, ledger: Ledger, *, disturbed: bool) -> Iterator[str]:
    """FCM has it for nobody but those who were to get it, and once unless a process died or the policy asked."""
    entries = {entry["_id"]["u"]: entry for entry in evidence.entries}
    for target, times in evidence.accepted.items():
        heirs = [entries[user] for user in ledger.owners[target] if user in entries]
        wanted = [entry for entry in heirs if entry["status"] != Status.SUPPRESSED or _lost(entry, disturbed)]
        if not wanted:
            yield f"FCM accepted a message for {target}, who was not to get it"
        if not disturbed and times > sum(1 + entry["resends"] for entry in wanted):
            yield f"FCM accepted a message for {target} {times} times"


def _lost(entry: Document, disturbed: bool) -> bool:
    """Whether it may have been sent by a worker that died before it wrote so, and was muted then."""
    return disturbed and "muted" in entry


def _waiting(world: World) -> Iterator[str]:
    """Nobody waits for a device who has one, unless what waits is queued."""
    reachable = set(world.real["devices"].distinct("_id.u", {"active": True}))
    for entry in filter(_is_unsent, world.real["registry"].find({"reason": Reason.NO_DEVICE})):
        notification, user = entry["_id"]["n"], entry["_id"]["u"]
        queued = {"_id.n": notification, "_id.c": "push", "stage": "dispatch", "users": user}
        if user in reachable and world.real["batches"].find_one(queued) is None:
            yield f"{(notification, user)} waits for a device, has one, and is in no batch"


def at_the_end(world: World, ledger: Ledger) -> list[str]:
    """What holds when every notification is over: each recipient was reached, or there is a reason why not."""
    log = world.fcm.messages()
    found = [problem for identity in ledger.notifications for problem in _of_one(world, ledger, identity, log)]
    return [*at_rest(world, ledger), *found, *_over(world, ledger), *_devices(world, log)]


def _over(world: World, ledger: Ledger) -> Iterator[str]:
    states = {str(found["_id"]): found["state"] for found in world.real["notifications"].find()}
    for identity in ledger.notifications:
        if states[identity] not in ("cancelled", "done"):
            yield f"{identity} is {states[identity]}"
        left = Counter(batch["_id"]["c"] for batch in world.real["batches"].find({"_id.n": object_id(identity)}))
        if left["push"]:
            yield f"{identity} is over and has {left['push']} batches"
    for entry in world.real["registry"].find({"status": Status.PENDING}):
        yield f"{entry['_id']} is pending for ever"


def _devices(world: World, log: list[Document]) -> Iterator[str]:
    """A device is inactive for its target when FCM called that dead, and after the last send only then."""
    answers: dict[str, list[str]] = defaultdict(list)
    for row in log:
        answers[row["target"]].append(row["outcome"])
    for device in world.real["devices"].find({"_id.u": {"$nin": list(SILENT)}}):
        heard = answers[device["target"].partition(":")[2]]
        if device["active"] and heard[-1:] != ["accepted"]:
            yield f"{device['_id']} is active, and FCM said {heard}"
        if device["reason"] not in (None, "moved") and not _GONE.intersection(heard):
            yield f"{device['_id']} is inactive ({device['reason']}), and FCM said {heard}"
