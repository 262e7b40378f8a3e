"""The collection `keys`: what ids and payloads are hashed with, where their hash is kept and they are not."""

import secrets

from notify_server.storage.database import translated
from notify_server.storage.documents import Store

_LENGTH = 32  # bytes


@translated
class HashKeys:
    """Makes keys and reads them, each once for all processes; they never change."""

    def __init__(self, database: Store) -> None:
        self._all = database["keys"]
        self._known: dict[str, bytes] = {}

    def get(self, name: str) -> bytes:
        """The key of this name, made where there is none; after the first time from memory."""
        if name not in self._known:
            made = {"$setOnInsert": {"key": secrets.token_bytes(_LENGTH)}}
            self._all.update_one({"_id": name}, made, upsert=True)
            self._known[name] = bytes((self._all.find_one({"_id": name}) or {})["key"])
        return self._known[name]
