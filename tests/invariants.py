"""The invariants of design.md, checked against what MongoDB and the FCM simulator hold when nothing is in flight.

assert violations(Evidence(database, notification_id, fcm.messages())) == []

Nothing here uses the code under test except its vocabulary (TRANSITIONS, Status, Reason) and the counts it reports.
Not checked here: 1 (a 202 survives) needs a crash, 7 (nobody reads what is another's) needs the API.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from bson import ObjectId
from pymongo.database import Database

from notify_server.domain.outcome import UNCOUNTED
from notify_server.domain.registry import TRANSITIONS, Reason, Status
from notify_server.storage.entries import Entries
from tests.counted import count_all, differences

Document = dict[str, Any]

_MOVES = {(source, move.target) for move in TRANSITIONS.values() for source in move.sources}
_REACHED = (Status.SENT, Status.RECEIVED, Status.READ)  # where another channel gets through as well
_NOTES = {(status, status) for status in (Status.PENDING, *_REACHED)}  # a try that failed; a channel after another
_EXPLAINED = {Status.SUPPRESSED, Status.FAILED, Status.EXPIRED, Status.CANCELLED}
_DEAD = {"unregistered", "sender_id_mismatch", "invalid_argument"}  # outcomes of the simulator
_MOVED = "moved"  # why a device is inactive though its target lives
_SHOWN = 5  # examples of one violation


@dataclass(frozen=True)
class Evidence:
    """One notification's documents, and the whole log of the simulator (oldest first)."""

    database: Database[Document]
    notification_id: str
    log: Sequence[Mapping[str, Any]]

    @cached_property
    def notification(self) -> Document:
        found = self.database.notifications.find_one({"_id": ObjectId(self.notification_id)})
        assert found is not None, "the notification itself is lost"
        return found

    @cached_property
    def entries(self) -> list[Document]:
        return list(self.database.registry.find({"_id.n": ObjectId(self.notification_id)}))

    @cached_property
    def batches(self) -> list[Document]:
        return list(self.database.batches.find({"_id.n": ObjectId(self.notification_id)}))

    @cached_property
    def devices(self) -> list[Document]:
        users = [entry["_id"]["u"] for entry in self.entries]
        return list(self.database.devices.find({"_id.u": {"$in": users}}))

    @cached_property
    def owners(self) -> Mapping[str, set[str]]:
        """The users of each target, past owners included."""
        owners: dict[str, set[str]] = defaultdict(set)
        for device in self.devices:
            owners[device["target"].partition(":")[2]].add(device["_id"]["u"])
        return owners

    @cached_property
    def sends(self) -> list[Mapping[str, Any]]:
        """What came to the simulator of this notification, accepted or not."""
        ours = self.notification_id
        return [row for row in self.log if row["message"].get("data", {}).get("notification_id") == ours]

    @cached_property
    def accepted(self) -> Counter[str]:
        """How often each target was accepted."""
        return Counter(row["target"] for row in self.sends if row["outcome"] == "accepted")

    @cached_property
    def reached(self) -> set[str]:
        """The users of the targets that were accepted."""
        return {user for target in self.accepted for user in self.owners[target]}

    @property
    def duplicates(self) -> int:
        """Accepted messages beyond the first of each target."""
        return sum(self.accepted.values()) - len(self.accepted)

    def having(self, *statuses: str) -> list[str]:
        """The users whose entry stands at one of `statuses`."""
        return [entry["_id"]["u"] for entry in self.entries if entry["status"] in statuses]


def violations(evidence: Evidence, *, figures: bool = True, spare: Callable[[str], bool] | None = None) -> list[str]:
    """Every violated invariant with its number and some examples; empty when all hold.

    The `figures` of the whole database are held against its registry too. Those
    that `spare` says yes to are none.
    """
    checks = (
        _recipients,
        _lost,
        _batches,
        _transitions,
        _sent_stays,
        _attempts,
        _one_collapse_id,
        _reasons,
        _counts,
        _statistics,
        _targets,
        _sent_is_accepted,
        _accepted_is_known,
    )
    found: list[str] = []
    for check in checks if figures else set(checks) - {_statistics}:
        problems = [problem for problem in check(evidence) if spare is None or not spare(problem)]
        found += problems[:_SHOWN]
        if len(problems) > _SHOWN:
            found.append(f"… and {len(problems) - _SHOWN} more like the last")
    return found


def _recipients(evidence: Evidence) -> Iterator[str]:
    """2: every recipient has exactly one registry entry, and nobody else has one."""
    entered = Counter(entry["_id"]["u"] for entry in evidence.entries)
    addressed = _addressed(evidence)
    yield from (f"2: {user} has {count} entries" for user, count in entered.items() if count != 1)
    yield from (f"2: {user} has no entry" for user in sorted(addressed - entered.keys()))
    yield from (f"2: {user} was not addressed" for user in sorted(entered.keys() - addressed))
    counted = len(entered) + sum(evidence.notification.get("erased", {}).values())
    if evidence.notification["recipients"] != counted:
        yield f"2: the notification counts {evidence.notification['recipients']} recipients of {counted}"


def _addressed(evidence: Evidence) -> set[str]:
    """Whom the audience selects, by the membership of this moment."""
    audience = evidence.notification["audience"]
    conditions: list[Document] = [
        {"_id": {"$in": audience["users"]}},
        {"groups": {"$in": audience["groups"]}},
        {"community": {"$in": audience["communities"]}},
    ]
    selected: Document = {} if audience["everyone"] else {"$or": conditions}
    return {user["_id"] for user in evidence.database.users.find(selected, {"_id": 1})} | set(audience["users"])


def _lost(evidence: Evidence) -> Iterator[str]:
    """2: whoever is still pending is in a batch, or waits for a device; else nobody would ever come back to them.

    What was announced on the realtime channel stays pending until an app is told, or reads its inbox.
    """
    open_stages = {"dispatch", "announce"}
    queued = {user for batch in evidence.batches if batch["stage"] in open_stages for user in batch["users"]}
    for entry in evidence.entries:
        waits = entry["_id"]["u"] in queued or entry["reason"] == Reason.NO_DEVICE
        if entry["status"] == Status.PENDING and not waits:
            yield f"2: {entry['_id']['u']} is pending ({entry['reason']}) and in no batch"
    yield from _never_pushed(evidence)


def _never_pushed(evidence: Evidence) -> Iterator[str]:
    """2: whom an open socket alone was told of it, and push follows, is in a batch of push, or waits for a device."""
    if not evidence.notification["open"] or evidence.notification["state"] == "cancelled":
        return
    pushing = {user for batch in evidence.batches if batch["stage"] == "dispatch" for user in batch["users"]}
    for entry in evidence.entries:
        told_alone = entry["status"] == Status.SENT and "unpushed" in entry and "muted" not in entry
        if told_alone and entry["reason"] != Reason.NO_DEVICE and entry["_id"]["u"] not in pushing:
            yield f"2: {entry['_id']['u']} is sent by a socket alone ({entry['reason']}), and no batch pushes it"


def _batches(evidence: Evidence) -> Iterator[str]:
    """2: a recipient is in one batch of a channel at most, and none waits to be sent of what is done."""
    places = Counter((batch["_id"]["c"], user) for batch in evidence.batches for user in batch["users"])
    yield from (
        f"2: {user} is in {count} batches of {channel}" for (channel, user), count in places.items() if count > 1
    )
    if evidence.notification["state"] == "done":
        unsent = [batch["_id"] for batch in evidence.batches if batch["stage"] == "dispatch"]
        yield from (f"2: done, but the batch {key} waits to be sent" for key in unsent)


def _transitions(evidence: Evidence) -> Iterator[str]:
    """3: the history begins anew, follows TRANSITIONS, and ends where the entry stands."""
    for entry in evidence.entries:
        statuses = [Status(line["status"]) for line in entry["history"]]
        steps = [(None, statuses[0]), *pairwise(statuses)]
        wrong = [step for step in steps if step not in _MOVES and step not in _NOTES]
        if wrong or statuses[-1] != entry["status"]:
            yield f"3: {entry['_id']['u']} is {entry['status']} by way of {', '.join(statuses)}"
        for status in (Status.SENT, Status.RECEIVED, Status.READ):
            if status in statuses and entry[f"{status}_at"] is None:
                yield f"3: {entry['_id']['u']} was {status} at no time"


def _sent_stays(evidence: Evidence) -> Iterator[str]:
    """3: nobody who was sent it ends as if they had not been."""
    for entry in evidence.entries:
        if entry["sent_at"] is not None and entry["status"] in _EXPLAINED:
            yield f"3: {entry['_id']['u']} was sent it, and is {entry['status']}"


def _attempts(evidence: Evidence) -> Iterator[str]:
    """3: the attempts are those in the history, less the ones that the provider turned away at its door."""
    for entry in evidence.entries:
        causes = [line["detail"].partition(": ")[2] for line in entry["history"] if _is_attempt(line)]
        counted = sum(cause not in UNCOUNTED for cause in causes)
        if entry["attempts"] != counted:
            yield f"3: {entry['_id']['u']} has {entry['attempts']} attempts, and {counted} in the history"


def _is_attempt(line: Mapping[str, Any]) -> bool:
    return (line["detail"] or "").startswith(("attempt ", "emitted "))


def _one_collapse_id(evidence: Evidence) -> Iterator[str]:
    """4: every send of the notification shows as one on the device."""
    shown = {
        (
            message.get("android", {}).get("notification", {}).get("tag"),
            message.get("webpush", {}).get("notification", {}).get("tag"),
            message.get("apns", {}).get("headers", {}).get("apns-collapse-id"),
        )
        for message in (row["message"] for row in evidence.sends)
    }
    if len(shown) > 1 or any(None in names for names in shown):
        yield f"4: sends with different or no collapse ids: {shown}"


def _reasons(evidence: Evidence) -> Iterator[str]:
    """5: every recipient who did not get it has a reason, and none who did keeps one, unless push has yet to follow."""
    for entry in evidence.entries:
        status, reason = Status(entry["status"]), entry["reason"]
        if (status in _EXPLAINED and reason is None) or (reason is not None and reason not in set(Reason)):
            yield f"5: {entry['_id']['u']} is {status} by reason of {reason}"
        unpushed = status is Status.SENT and entry.get("unpushed") is True
        if reason is not None and status in (Status.SENT, Status.RECEIVED, Status.READ) and not unpushed:
            yield f"5: {entry['_id']['u']} is {status} and has a reason: {reason}"


def _counts(evidence: Evidence) -> Iterator[str]:
    """6: the counts reported equal a recount of the registry."""
    reported = Entries(evidence.database).counts(evidence.notification_id)
    counted = Counter(entry["status"] for entry in evidence.entries)
    if {status: count for status, count in reported.items() if count} != counted:
        yield f"6: {reported} are reported, {dict(counted)} are there"


def _statistics(evidence: Evidence) -> Iterator[str]:
    """6: what was marked is counted, and then every sum is what the registry adds up to: nothing changed unmarked."""
    count_all(evidence.database)
    yield from (f"6: statistics: {problem}" for problem in differences(evidence.database))


def _targets(evidence: Evidence) -> Iterator[str]:
    """fcm.md: a target is inactive when FCM called it dead, and only then."""
    dead = {row["target"] for row in evidence.log if row["outcome"] in _DEAD}
    for device in evidence.devices:
        target = device["target"].partition(":")[2]
        if device["active"] and target in dead:
            yield f"targets: {device['_id']} is active, and its target is dead"
        if not device["active"] and target not in dead and device["reason"] != _MOVED:
            yield f"targets: {device['_id']} is inactive ({device['reason']}), and FCM never called its target dead"


def _sent_is_accepted(evidence: Evidence) -> Iterator[str]:
    """b: sent means that FCM accepted it for at least one of the user's devices, or that an open socket got it."""
    told = {
        entry["_id"]["u"]
        for entry in evidence.entries
        if any((line["detail"] or "").startswith("emitted ") for line in entry["history"])
    }
    unreached = set(evidence.having(Status.SENT)) - evidence.reached - told
    yield from (f"b: {user} is sent, and FCM accepted nothing" for user in sorted(unreached))


def _accepted_is_known(evidence: Evidence) -> Iterator[str]:
    """b, turned round: FCM accepted nothing but for recipients who were to get it."""
    muted = set(evidence.having(Status.SUPPRESSED))
    for target in evidence.accepted:
        if not evidence.owners[target]:
            yield f"b: FCM accepted a message for {target}, whose user has no entry"
        if evidence.owners[target] & muted:
            yield f"b: FCM accepted a message for {target}, whose user has muted it"
