"""Whether a group or community is known: it is there, or was when something was counted of it."""

from datetime import date

from notify_server.domain.statistics import Dimension, Kind
from notify_server.storage.database import translated
from notify_server.storage.documents import Store
from notify_server.storage.statistics import COLLECTION, Grain, key_of

_EVER = date(1, 1, 1), date(9999, 12, 1)


@translated
class Known:
    """Asks every collection that may hold the name."""

    def __init__(self, database: Store) -> None:
        self._groups = database["groups"]
        self._users = database["users"]
        self._notifications = database["notifications"]
        self._statistics = database[COLLECTION]

    def group(self, group: str) -> bool:
        """Whether there is this group, or a member of it, or was."""
        there = self._groups.find_one({"_id": group}, {"_id": 1}) or self._users.find_one(
            {"groups": group}, {"_id": 1}, hint="by_group"
        )
        return there is not None or self._counted(Kind.GROUP, group)

    def community(self, community: str) -> bool:
        """Whether a user or a notification is of this community, or was."""
        its = {"community": community}
        there = self._users.find_one(its, {"_id": 1}, hint="by_community") or self._notifications.find_one(
            its, {"_id": 1}, hint="by_community"
        )
        return there is not None or self._counted(Kind.COMMUNITY, community)

    def _counted(self, kind: Kind, key: str) -> bool:
        first, last = (key_of(Grain.MONTH, Dimension(kind, key), at) for at in _EVER)
        return self._statistics.find_one({"_id": {"$gte": first, "$lte": last}}, {"_id": 1}) is not None
