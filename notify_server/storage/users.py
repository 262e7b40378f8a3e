"""The collection `users`: who they are, where they belong, what they muted."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from pymongo.database import Database

from notify_server.domain.user import User
from notify_server.errors import NotFound
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, insert_new

_LAST = "\U0010ffff"  # the last character: no id goes on with it
PROFILE = ("community", "groups", "email", "locale", "timezone")


@translated
class Users:
    """Reads and writes `users`."""

    def __init__(self, database: Database[Document]) -> None:
        self._all = database["users"]

    def get(self, user: str) -> User:
        """One user. Raises NotFound."""
        found = self._all.find_one({"_id": user})
        if found is None:
            raise NotFound(f"There is no user {user!r}.")
        return _from_document(found)

    def among(self, users: Sequence[str]) -> list[User]:
        """Those of these users that exist."""
        return [_from_document(document) for document in self._all.find({"_id": {"$in": list(users)}})]

    def beginning_with(self, start: str, limit: int) -> list[str]:
        """The ids of at most `limit` users that begin with `start`, in order."""
        found = self._all.find({"_id": {"$gte": start, "$lt": start + _LAST}}, {"_id": 1}).sort("_id", 1).limit(limit)
        return [document["_id"] for document in found]

    def put(self, user: str, profile: dict[str, Any], now: datetime) -> bool:
        """Set the given fields of the profile (PROFILE) and leave the others. True when the user is new."""
        done = self._all.update_one(
            {"_id": user},
            {"$set": {"updated_at": now, **profile}, "$setOnInsert": _blank(now, without=profile)},
            upsert=True,
        )
        return done.upserted_id is not None

    def mention(self, users: Iterable[str], community: str | None, now: datetime) -> int:
        """Make those of `users` that do not exist, as members of `community`. Returns how many were made."""
        made = _blank(now) | {"community": community, "updated_at": now}
        return insert_new(self._all, [{"_id": user, **made} for user in users])


def _blank(now: datetime, without: Iterable[str] = ()) -> Document:
    fields: Document = dict.fromkeys(PROFILE) | {"groups": [], "muted": {"groups": [], "categories": []}}
    fields["created_at"] = now
    return {name: value for name, value in fields.items() if name not in set(without)}


def _from_document(document: Document) -> User:
    return User(
        id=document["_id"],
        community=document["community"],
        groups=tuple(document["groups"]),
        email=document["email"],
        locale=document["locale"],
        timezone=document["timezone"],
        muted_groups=frozenset(document["muted"]["groups"]),
        muted_categories=frozenset(document["muted"]["categories"]),
        created_at=document["created_at"],
    )
