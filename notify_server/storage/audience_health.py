"""Who can be reached, counted by index: devices by platform and why they are dead, and who has muted which category."""

from collections.abc import Iterator, Mapping
from typing import Any

from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store


@translated
class AudienceHealth:
    """Counts over `devices` and `users`."""

    def __init__(self, database: Store) -> None:
        self._devices = database["devices"]
        self._users = database["users"]

    def devices(self) -> Iterator[tuple[str, bool, str | None, int]]:
        """Platform, whether they are active, why not, and how many there are."""
        key = {"platform": "$platform", "active": "$active", "reason": "$reason"}
        stages: list[Mapping[str, Any]] = [
            {"$match": {"active": {"$in": [False, True]}}},
            {"$group": {"_id": key, "count": {"$sum": 1}}},
        ]
        for row in self._devices.aggregate(stages, hint="by_health"):
            found: Document = row["_id"]
            yield found["platform"], found["active"], found["reason"], row["count"]

    def mutes(self) -> Mapping[str, int]:
        """How many users have muted each category; those that nobody has are left out."""
        stages: list[Mapping[str, Any]] = [
            {"$match": {"muted.categories.0": {"$exists": True}}},
            {"$project": {"muted.categories": 1}},
            {"$unwind": "$muted.categories"},
            {"$group": {"_id": "$muted.categories", "count": {"$sum": 1}}},
        ]
        return {row["_id"]: row["count"] for row in self._users.aggregate(stages, hint="by_muted_category")}
