"""The collection `leases`: what only one process at a time may do."""

from datetime import datetime

from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from notify_server.storage.database import translated
from notify_server.storage.documents import Document


@translated
class Leases:
    """Named leases."""

    def __init__(self, database: Database[Document]) -> None:
        self._all = database["leases"]

    def hold(self, name: str, owner: str, now: datetime, until: datetime) -> bool:
        """Take the lease, or keep it, until `until`; False while another owner's has not run out."""
        try:
            self._all.update_one(
                {"_id": name, "$or": [{"owner": owner}, {"until": {"$lte": now}}]},
                {"$set": {"owner": owner, "until": until}},
                upsert=True,
            )
        except DuplicateKeyError:
            return False  # the upsert met the document of a living owner
        return True

    def extend(self, name: str, owner: str, until: datetime) -> bool:
        """Keep the lease until `until`; False where anybody else has had it since `owner` took it."""
        return self._all.update_one({"_id": name, "owner": owner}, {"$set": {"until": until}}).matched_count == 1

    def owner(self, name: str, session: ClientSession | None = None) -> str | None:
        """Who has the lease, or had it last before it ran out; None: it was given up."""
        found = self._all.find_one({"_id": name}, {"owner": 1}, session=session)
        return None if found is None else found["owner"]

    def release(self, name: str, owner: str) -> None:
        """Give the lease up."""
        self._all.delete_one({"_id": name, "owner": owner})
