"""The members of an audience, walked in the order of their ids."""

from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import groupby, islice

from pymongo.database import Database

from notify_server.domain.notification import Audience
from notify_server.storage.database import translated
from notify_server.storage.documents import Document

# mongod merges up to 200 index scans into one sorted stream; beyond that it would sort in memory
# (internalQueryMaxScansToExplode).
_SCANS = 100


@translated
class Members:
    """Pages of user ids, by index alone."""

    def __init__(self, database: Database[Document]) -> None:
        self._users = database["users"]

    def page(self, audience: Audience, cursor: str, size: int) -> list[str]:
        """The first `size` ids after `cursor` that the audience selects by group, community or as everyone."""
        if audience.everyone:
            return self._ids({}, "_id_", cursor, size)
        streams = [
            *(self._ids({"groups": {"$in": part}}, "by_group", cursor, size) for part in _parts(audience.groups)),
            *(
                self._ids({"community": {"$in": part}}, "by_community", cursor, size)
                for part in _parts(audience.communities)
            ),
        ]
        return [user for user, _ in islice(groupby(merge(*streams)), size)]

    def of_group(self, group: str, after: str, size: int) -> list[str]:
        """The first `size` members of one group after `after`."""
        return self._ids({"groups": group}, "by_group", after, size)

    def count(self, group: str) -> int:
        """How many members the group has."""
        return self._users.count_documents({"groups": group}, hint="by_group")

    def _ids(self, conditions: Document, index: str, cursor: str, size: int) -> list[str]:
        found = self._users.find({**conditions, "_id": {"$gt": cursor}}, {"_id": 1}).sort("_id", 1)
        return [document["_id"] for document in found.limit(size).hint(index)]


def _parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    return (values[start : start + _SCANS] for start in range(0, len(values), _SCANS))
