"""The collection `blocked_addresses`: who is mailed no more, because a mail bounced or was called spam.

Addresses are kept as keyed hashes alone: nobody can read from here whom we know.
"""

import hmac
from collections.abc import Collection
from datetime import datetime

from notify_server.domain.registry import Reason
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store
from notify_server.storage.hash_keys import HashKeys

_KEY = "addresses"


@translated
class BlockedAddresses:
    """Reads and writes `blocked_addresses`."""

    def __init__(self, database: Store) -> None:
        self._all = database["blocked_addresses"]
        self._keys = HashKeys(database)

    def block(self, address: str, reason: Reason, detail: str | None, now: datetime) -> None:
        """Mail it no more; what it was first blocked for counts."""
        blocked = {"reason": reason.value, "detail": detail, "at": now}
        self._all.update_one({"_id": self._name(address)}, {"$setOnInsert": blocked}, upsert=True)

    def among(self, addresses: Collection[str]) -> dict[str, str]:
        """Those of these addresses that are blocked, and why: reason and code."""
        names = {address: self._name(address) for address in addresses}  # several spellings may have one name
        found = self._all.find({"_id": {"$in": sorted(set(names.values()))}}) if names else ()
        told = {document["_id"]: _told(document) for document in found}
        return {address: told[name] for address, name in names.items() if name in told}

    def allow(self, address: str) -> bool:
        """Mail it again. False where it was not blocked."""
        return self._all.delete_one({"_id": self._name(address)}).deleted_count == 1

    def _name(self, address: str) -> str:
        return hmac.digest(self._keys.get(_KEY), address.lower().encode(), "sha256").hex()


def _told(document: Document) -> str:
    return " ".join(part for part in (document["reason"], document["detail"]) if part)
