"""The collections `workers` and `mailers`: who is alive, and who of them is sending pushes, or mails."""

from datetime import datetime

from notify_server.domain.notification import Channel
from notify_server.storage.database import translated
from notify_server.storage.documents import Store

_COLLECTIONS = {Channel.PUSH: "workers", Channel.EMAIL: "mailers"}


@translated
class Workers:
    """Reports and counts workers. Documents of the dead go by a TTL index."""

    def __init__(self, database: Store, channel: Channel = Channel.PUSH) -> None:
        self._all = database[_COLLECTIONS[channel]]

    def report(self, owner: str, now: datetime, until: datetime, *, sending: bool) -> None:
        """Say that `owner` lives at least until then, and whether it sends."""
        self._all.update_one({"_id": owner}, {"$set": {"at": now, "until": until, "sending": sending}}, upsert=True)

    def sending(self, now: datetime) -> int:
        """How many living workers send."""
        return self._all.count_documents({"sending": True, "until": {"$gt": now}})

    def alive(self, now: datetime) -> int:
        """How many workers live."""
        return self._all.count_documents({"until": {"$gt": now}})

    def leave(self, owner: str) -> None:
        """Forget a worker that stops."""
        self._all.delete_one({"_id": owner})
