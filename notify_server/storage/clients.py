"""The collection `clients`: the holders of server tokens. Only a hash of each token is kept."""

from datetime import datetime

from pymongo.database import Database

from notify_server.storage.database import translated
from notify_server.storage.documents import Document


@translated
class Clients:
    """Reads and writes `clients`."""

    def __init__(self, database: Database[Document]) -> None:
        self._all = database["clients"]

    def add(self, client: str, name: str, digest: str, scopes: list[str], now: datetime) -> None:
        """Store a client under its id, with the SHA-256 of its token in hexadecimal."""
        self._all.insert_one(
            {"_id": client, "name": name, "hash": digest, "scopes": scopes, "created_at": now, "revoked_at": None}
        )

    def active(self, client: str) -> Document | None:
        """The client, unless it is unknown or revoked."""
        return self._all.find_one({"_id": client, "revoked_at": None})

    def listed(self) -> list[Document]:
        """Every client, oldest first, without its hash."""
        return list(self._all.find({}, {"hash": 0}).sort("_id", 1).hint("_id_"))

    def revoke(self, client: str, now: datetime) -> bool:
        """End the token for good; False when there is no such client or it was revoked before."""
        done = self._all.update_one({"_id": client, "revoked_at": None}, {"$set": {"revoked_at": now}})
        return done.modified_count == 1
