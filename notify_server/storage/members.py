"""The members of an audience, walked in the order of their ids."""

from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import islice
from typing import Any

from notify_server.domain.notification import Audience
from notify_server.domain.user import User
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store

# mongod merges up to 200 index scans into one sorted stream; beyond that it would sort in memory
# (internalQueryMaxScansToExplode).
_SCANS = 100

_ADDRESSING = {"groups": 1, "community": 1, "muted": 1, "locale": 1}  # what expansion asks of a user, and no more


@translated
class Members:
    """Pages of users as expansion needs them, by index alone."""

    def __init__(self, database: Store) -> None:
        self._users = database["users"]

    def page(self, audience: Audience, cursor: str, size: int) -> list[User]:
        """The first `size` users after `cursor` that the audience selects by group, community or as everyone."""
        if audience.everyone:
            return self._after({}, "_id_", cursor, size)
        streams = [
            *(self._after({"groups": {"$in": part}}, "by_group", cursor, size) for part in _parts(audience.groups)),
            *(
                self._after({"community": {"$in": part}}, "by_community", cursor, size)
                for part in _parts(audience.communities)
            ),
        ]
        merged = {user.id: user for user in merge(*streams, key=_id)}
        return list(islice(merged.values(), size))

    def among(self, users: Sequence[str]) -> list[User]:
        """Those of `users` that exist."""
        return [_from_document(document) for document in self._users.find({"_id": {"$in": list(users)}}, _ADDRESSING)]

    def of_group(self, group: str, after: str, size: int) -> list[str]:
        """The ids of the first `size` members of one group after `after`."""
        found = self._users.find({"groups": group, "_id": {"$gt": after}}, {"_id": 1}).sort("_id", 1)
        return [document["_id"] for document in found.limit(size).hint("by_group")]

    def count(self, group: str) -> int:
        """How many members the group has."""
        return self._users.count_documents({"groups": group}, hint="by_group")

    def _after(self, conditions: Document, index: str, cursor: str, size: int) -> list[User]:
        found = self._users.find({**conditions, "_id": {"$gt": cursor}}, _ADDRESSING).sort("_id", 1)
        return [_from_document(document) for document in found.limit(size).hint(index)]


def _parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    return (values[start : start + _SCANS] for start in range(0, len(values), _SCANS))


def _id(user: User) -> str:
    return user.id


def _from_document(document: dict[str, Any]) -> User:
    muted = document["muted"]
    return User(
        document["_id"],
        document["community"],
        tuple(document["groups"]),
        locale=document.get("locale"),
        muted_groups=frozenset(muted["groups"]),
        muted_categories=frozenset(muted["categories"]),
    )
