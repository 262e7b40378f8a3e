"""The collection `paces`: one document a channel, by which all workers send as one."""

from collections.abc import Callable
from dataclasses import asdict

from pymongo.errors import DuplicateKeyError

from notify_server.domain.notification import Channel
from notify_server.domain.pace import Pace
from notify_server.domain.registry import Reason
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store


@translated
class Paces:
    """Reads and changes the shared pace."""

    def __init__(self, database: Store) -> None:
        self._all = database["paces"]

    def get(self, channel: Channel) -> Pace:
        """The pace of `channel`; a fresh one where nothing was sent yet."""
        return _from_document(self._all.find_one({"_id": channel.value}))

    def change(self, channel: Channel, change: Callable[[Pace], Pace]) -> Pace:
        """Apply `change`, repeated for as long as another process changes the pace in between; the new pace."""
        while True:
            found = self._all.find_one({"_id": channel.value})
            before = _from_document(found)
            after = change(before)
            if after == before or self._swap(channel, found, after):
                return after

    def _swap(self, channel: Channel, found: Document | None, after: Pace) -> bool:
        version = 0 if found is None else found["version"]
        written = {"_id": channel.value, "version": version + 1, **asdict(after)}
        try:
            if found is None:
                self._all.insert_one(written)
                return True
            swapped = self._all.replace_one({"_id": channel.value, "version": version}, written)
        except DuplicateKeyError:
            return False
        return swapped.modified_count == 1


def _from_document(document: Document | None) -> Pace:
    if document is None:
        return Pace()
    fields = {name: value for name, value in document.items() if name not in ("_id", "version")}
    return Pace(**fields | {"reason": fields["reason"] and Reason(fields["reason"])})
