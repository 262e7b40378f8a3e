"""The collection `erasures`: who was erased, by a keyed hash alone once nothing of them is left.

An erasure is written before it looks for what there is of the person. Expansion writes entries and then looks for
erasures: whichever comes second sees the other.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from pymongo.client_session import ClientSession

from notify_server.domain.erasure import Erasure, pseudonym
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store
from notify_server.storage.hash_keys import HashKeys

_KEY = "pseudonyms"


@translated
class Erasures:
    """Reads and writes `erasures`."""

    def __init__(self, database: Store) -> None:
        self._all = database["erasures"]
        self._keys = HashKeys(database)

    def pseudonym(self, user: str) -> str:
        """What stands for `user` in what must outlive them."""
        return pseudonym(self._keys.get(_KEY), user)

    def find(self, user: str) -> Erasure | None:
        """The erasure of `user` that is remembered."""
        found = self._all.find_one({"_id": self.pseudonym(user)})
        return None if found is None else _from_document(found)

    def begin(self, user: str, now: datetime) -> Erasure:
        """Erase `user` and all that is accepted until `now`; one that is not complete goes on and counts on."""
        name = self.pseudonym(user)
        running = {"$eq": [{"$type": "$user"}, "string"]}
        started = {
            "user": {"$literal": user},
            "at": now,
            "calls": {"$add": [{"$ifNull": ["$calls", 0]}, 1]},
            "removed": {"$cond": [running, "$removed", {"$literal": {}}]},
        }
        self._all.update_one({"_id": name}, [{"$set": started}], upsert=True)
        return self.get(Erasure(name, now, user))

    def again(self, since: datetime, mentions: Iterable[tuple[str, datetime]]) -> int:
        """Go on with the erasure of those who were erased after they were mentioned. Returns how many.

        `mentions`: users, and when the notification was accepted that names them, `since` at the earliest; read only
        where somebody was erased since then, so that this costs next to nothing elsewhere.
        """
        if self._all.find_one({"at": {"$gte": since}}, {"_id": 1}) is None:
            return 0
        mentioned: dict[str, datetime] = {}
        for user, at in mentions:
            mentioned[user] = min(at, mentioned.get(user, at))
        users = {self.pseudonym(user): user for user in mentioned}
        count = 0
        for found in self._all.find({"_id": {"$in": list(users)}}, {"at": 1}):
            user = users[found["_id"]]
            if mentioned[user] <= found["at"]:
                self._all.update_one({"_id": found["_id"]}, {"$set": {"user": user}, "$inc": {"calls": 1}})
                count += 1
        return count

    def running(self, limit: int) -> list[Erasure]:
        """Erasures that are not complete."""
        found = self._all.find({"user": {"$type": "string"}}).hint("running").limit(limit)
        return [_from_document(document) for document in found]

    def removed(self, erasure: Erasure, counts: Mapping[str, int], session: ClientSession) -> None:
        """Count what a transaction has removed."""
        increments = {f"removed.{kind}": count for kind, count in counts.items()}
        self._all.update_one({"_id": erasure.pseudonym}, {"$inc": increments}, session=session)

    def complete(self, erasure: Erasure) -> Erasure:
        """Forget the id, unless somebody found more of them meanwhile. Returns what the erasure is now."""
        unchanged = {"_id": erasure.pseudonym, "calls": erasure.calls}
        self._all.update_one(unchanged, {"$unset": {"user": ""}})
        return self.get(erasure)

    def get(self, erasure: Erasure) -> Erasure:
        """The erasure as it is now."""
        found = self._all.find_one({"_id": erasure.pseudonym})
        return erasure if found is None else _from_document(found)


def _from_document(document: Document) -> Erasure:
    return Erasure(
        document["_id"], document["at"], document.get("user"), document.get("removed", {}), document["calls"]
    )
