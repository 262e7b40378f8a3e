"""The collection `settings`: what administrators set while the server runs. Secrets in it are sealed before."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pymongo.errors import DuplicateKeyError

from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store


@translated
class Settings:
    """Reads and writes settings by name."""

    def __init__(self, database: Store) -> None:
        self._all = database["settings"]

    def get(self, name: str) -> Document | None:
        """What is set, with `version` and `updated_at`; None where nothing is."""
        return self._all.find_one({"_id": name}, {"_id": 0})

    def put(self, name: str, values: Mapping[str, Any], version: int, now: datetime) -> bool:
        """Replace what is set, if that still has `version` (0: nothing is set). False where it has another by now."""
        written = {"_id": name, **values, "version": version + 1, "updated_at": now}
        if version:
            return self._all.replace_one({"_id": name, "version": version}, written).modified_count == 1
        try:
            self._all.insert_one(written)
        except DuplicateKeyError:
            return False
        return True
