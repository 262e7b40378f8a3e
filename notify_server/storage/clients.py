"""The collection `clients`: the holders of server tokens. Only hashes of their secrets are kept."""

from dataclasses import dataclass
from datetime import datetime

from pymongo import WriteConcern
from pymongo.database import Database

from notify_server.storage.database import translated
from notify_server.storage.documents import Document

_HASHES = {"hash": 0, "previous.hash": 0}  # for reading without them
_UNUSED = {"expires_at": None, "rotated_at": None, "revoked_at": None, "used_at": None, "previous": None}


@dataclass(frozen=True, slots=True)
class Secret:
    """What is stored of a secret: its SHA-256 in hexadecimal, and when it ends, if ever."""

    digest: str
    expires_at: datetime | None = None


@translated
class Clients:
    """Reads and writes `clients`."""

    def __init__(self, database: Database[Document]) -> None:
        self._all = database["clients"]
        self._unawaited = self._all.with_options(write_concern=WriteConcern(w=0))

    def add(self, client: str, name: str, scopes: list[str], secret: Secret, now: datetime) -> None:
        """Store a client under its id."""
        made = {"_id": client, "name": name, "hash": secret.digest, "scopes": scopes, "created_at": now}
        self._all.insert_one(made | _UNUSED | {"expires_at": secret.expires_at})

    def find(self, client: str) -> Document | None:
        """The client with its hashes, in whatever state."""
        found = self._all.find_one({"_id": client})
        return found and _UNUSED | found

    def listed(self, after: str = "", limit: int = 0) -> list[Document]:
        """Clients in order of id without their hashes: those after the id `after`, at most `limit` (0: all)."""
        found = self._all.find({"_id": {"$gt": after}}, _HASHES).sort("_id", 1).limit(limit)
        return [_UNUSED | client for client in found]

    def rotate(self, before: Document, secret: Secret, until: datetime, now: datetime) -> bool:
        """Give the client another secret; the one that it has in `before` stays good until `until`.

        False when it has another one by now, or was revoked.
        """
        old = {"hash": before["hash"], "until": until}
        change = {"hash": secret.digest, "previous": old, "expires_at": secret.expires_at, "rotated_at": now}
        current = {"_id": before["_id"], "hash": before["hash"], "revoked_at": None}
        return self._all.update_one(current, {"$set": change}).modified_count == 1

    def used(self, client: str, now: datetime) -> None:
        """Note when a client's token was last used. Nobody waits for it, and it may get lost."""
        self._unawaited.update_one({"_id": client}, {"$max": {"used_at": now}})

    def revoke(self, client: str, now: datetime) -> bool:
        """End the token for good; False when there is no such client or it was revoked before."""
        done = self._all.update_one({"_id": client, "revoked_at": None}, {"$set": {"revoked_at": now}})
        return done.modified_count == 1
