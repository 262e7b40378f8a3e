"""The collection `groups`, and membership, which is kept with the users."""

from collections.abc import Sequence
from datetime import datetime

from pymongo import UpdateOne
from pymongo.database import Database

from notify_server.errors import NotFound
from notify_server.storage.database import translated
from notify_server.storage.documents import Document


@translated
class Groups:
    """Reads and writes groups and who is in them."""

    def __init__(self, database: Database[Document]) -> None:
        self._all = database["groups"]
        self._users = database["users"]

    def get(self, group: str) -> Document:
        """`{"id", "community", "created_at"}`. Raises NotFound."""
        found = self._all.find_one({"_id": group})
        if found is None:
            raise NotFound(f"There is no group {group!r}.")
        return {"id": found["_id"], "community": found["community"], "created_at": found["created_at"]}

    def put(self, group: str, community: str | None, now: datetime) -> bool:
        """Make the group or change its community. True when it is new."""
        done = self._all.update_one(
            {"_id": group}, {"$set": {"community": community}, "$setOnInsert": {"created_at": now}}, upsert=True
        )
        return done.upserted_id is not None

    def add(self, group: str, users: Sequence[str]) -> int:
        """Make existing `users` members. Returns how many were not members before."""
        writes = [UpdateOne({"_id": user, "groups": {"$ne": group}}, {"$push": {"groups": group}}) for user in users]
        return self._users.bulk_write(writes, ordered=False).modified_count if writes else 0

    def remove(self, group: str, users: Sequence[str]) -> int:
        """End the membership of `users`. Returns how many were members."""
        done = self._users.update_many({"_id": {"$in": list(users)}, "groups": group}, {"$pull": {"groups": group}})
        return done.modified_count

    def delete(self, group: str) -> bool:
        """Remove the group and every membership in it; False when there was no such group."""
        self._users.update_many({"groups": group}, {"$pull": {"groups": group}})
        return self._all.delete_one({"_id": group}).deleted_count == 1
