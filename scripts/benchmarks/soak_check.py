"""Whether a soak lost anything: the registry against the simulator's log, by the checker of the fault tests.

Every broadcast is checked against all invariants, every notification of one user for its entry and its send. The
figures of the whole database are held against the registry once.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from bson import ObjectId

from notify_server.domain.registry import Reason, Status
from notify_server.storage.documents import Store
from tests.invariants import Evidence, violations

_DEAD = {"unregistered", "sender_id_mismatch", "invalid_argument"}
_CHUNK = 1000  # notifications
_REACHED = {Status.SENT, Status.RECEIVED, Status.READ}


class Sends:
    """The simulator's log by notification, without what is the same in many rows."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._by_notification: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._dead: dict[str, dict[str, Any]] = {}  # by target
        self._known: dict[str, Any] = {}
        for line in lines:
            self._add(json.loads(line))

    def _add(self, row: dict[str, Any]) -> None:
        message = {name: content for name, content in row["message"].items() if name not in ("token", "fid")}
        shared = self._known.setdefault(json.dumps(message), message)
        target = self._known.setdefault(row["target"], row["target"])
        kept = {"target": target, "outcome": row["outcome"], "message": shared}
        self._by_notification[message["data"]["notification_id"]].append(kept)
        if row["outcome"] in _DEAD:
            self._dead[target] = kept

    def of(self, notification: str) -> list[dict[str, Any]]:
        """The sends of a notification, and those of others by which a target was found dead."""
        others = (row for row in self._dead.values() if row["message"]["data"]["notification_id"] != notification)
        return [*self._by_notification[notification], *others]

    def accepted(self, notification: str) -> bool:
        """Whether FCM accepted any send of it."""
        return any(row["outcome"] == "accepted" for row in self._by_notification[notification])

    def __str__(self) -> str:
        outcomes = Counter(row["outcome"] for rows in self._by_notification.values() for row in rows)
        return (
            f"sends {dict(outcomes.most_common())}, {sum(map(_duplicates, self._by_notification.values()))} duplicates"
        )


def _duplicates(rows: Sequence[Mapping[str, Any]]) -> int:
    """Accepted messages beyond the first of each target."""
    accepted = [row["target"] for row in rows if row["outcome"] == "accepted"]
    return len(accepted) - len(set(accepted))


def broken(database: Store, sends: Sends, broadcasts: Sequence[str], singles: Sequence[str]) -> Iterator[str]:
    """What is wrong: nothing, it is hoped."""
    for place, notification in enumerate(broadcasts, 1):
        evidence = Evidence(database, notification, sends.of(notification))
        yield from violations(evidence, figures=place == len(broadcasts))
    remaining = iter(singles)
    while chunk := list(islice(remaining, _CHUNK)):
        yield from _broken_singles(database, sends, chunk)


def _broken_singles(database: Store, sends: Sends, notifications: Sequence[str]) -> Iterator[str]:
    ids = {"_id.n": {"$in": [ObjectId(notification) for notification in notifications]}}
    entries = defaultdict(list)
    for entry in database.registry.find(ids, {"status": 1, "reason": 1}):
        entries[str(entry["_id"]["n"])].append(entry)
    queued = {str(batch["_id"]["n"]) for batch in database.batches.find(ids, {"_id": 1})}
    for notification in notifications:
        if len(entries[notification]) != 1:
            yield f"2: {notification} has {len(entries[notification])} entries for one user"
        for entry in entries[notification]:
            waits = notification in queued or entry["reason"] == Reason.NO_DEVICE
            if entry["status"] == Status.PENDING and not waits:
                yield f"2: {entry['_id']} is pending ({entry['reason']}) and in no batch"
            if entry["status"] in _REACHED and not sends.accepted(notification):
                yield f"b: {entry['_id']} is {entry['status']}, and FCM accepted nothing"
