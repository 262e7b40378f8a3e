"""The inbox in pages by number: of one user, or of everyone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import ASCENDING, DESCENDING
from pymongo.database import Database

from notify_server.domain.inbox import Place
from notify_server.storage.database import translated
from notify_server.storage.documents import Document
from notify_server.storage.inbox import SHOWN, Entry, entry, of

REACH = 10_000  # entries of a list that can be paged to and are counted: so much is read for any page, and no more


@dataclass(frozen=True, slots=True)
class Walk:
    """Entries in the order of their notifications: of one user or of everyone (None), that lie in `places`."""

    user: str | None
    places: Sequence[Place]
    newest_first: bool


@translated
class InboxPages:
    """Reads `registry`, no further than REACH entries."""

    def __init__(self, database: Database[Document]) -> None:
        self._all = database["registry"]

    def page(self, walk: Walk, skip: int, limit: int) -> list[Entry]:
        """At most `limit` entries, after the first `skip` of the walk."""
        stages = [*_stages(walk), {"$skip": skip}, {"$limit": limit}, {"$project": SHOWN}]
        return [entry(found) for found in self._all.aggregate(stages, hint=_index(walk))]

    def count(self, walk: Walk) -> int:
        """How many entries the walk has; REACH, where there are more."""
        for found in self._all.aggregate([*_stages(walk), {"$count": "entries"}], hint=_index(walk)):
            return int(found["entries"])
        return 0


def _stages(walk: Walk) -> list[dict[str, Any]]:
    """A user's entries lie by place in their index. Everyone's are walked by `_id`, and looked at one by one."""
    direction = DESCENDING if walk.newest_first else ASCENDING
    if walk.user is not None:
        return [{"$match": of(walk.user, walk.places)}, {"$sort": {"_id.n": direction}}, {"$limit": REACH}]
    lying = {"inbox": {"$in": [place.value for place in walk.places]}}
    return [{"$sort": {"_id": direction}}, {"$limit": REACH}, {"$match": lying}]


def _index(walk: Walk) -> str:
    return "_id_" if walk.user is None else "by_user"
