"""Notifications counted from the registry, as it is at one moment."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pymongo.client_session import ClientSession

from notify_server.domain.periods import floor
from notify_server.domain.registry import Reason, Status
from notify_server.domain.statistics import Part
from notify_server.domain.tally import Fate, names
from notify_server.storage.database import translated
from notify_server.storage.documents import Store, object_id

_SHOWN = {"status": 1, "reason": 1, "received_at": 1, "read_at": 1, "history": {"$slice": 1}, "groups": 1}


@translated
class Recounts:
    """Reads `registry`."""

    def __init__(self, database: Store) -> None:
        self._registry = database["registry"]

    def of(self, notifications: Sequence[str], session: ClientSession) -> Mapping[str, list[Part]]:
        """The parts of each of these notifications."""
        tallies: dict[str, dict[tuple[datetime, str | None], dict[str, int]]] = {n: {} for n in notifications}
        ids = [object_id(n) for n in notifications]
        for entry in self._registry.find({"_id.n": {"$in": ids}}, _SHOWN, session=session):
            reason, at = entry["reason"] and Reason(entry["reason"]), entry["history"][0]["at"]
            fate = Fate(Status(entry["status"]), reason, at, entry["received_at"], entry["read_at"])
            for group in (None, *entry["groups"]):
                tally = tallies[str(entry["_id"]["n"])].setdefault((floor(at), group), {})
                for name in names(fate):
                    tally[name] = tally.get(name, 0) + 1
        return {n: [Part(at, group, tally) for (at, group), tally in t.items()] for n, t in tallies.items()}
