"""Wake-up calls: a change stream that says when there may be new work."""

from collections.abc import Iterator

from notify_server.domain.batch import Stage
from notify_server.domain.notification import State
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store

_AWAIT = 1000  # milliseconds
_FREED = "updateDescription.updatedFields"

# What makes work: a notification accepted or released, a batch stored, given back or recalled.
_WORK: Document = {
    "$or": [
        {"ns.coll": "notifications", "operationType": "insert"},
        {"ns.coll": "notifications", f"{_FREED}.state": State.ACCEPTED.value},
        {"ns.coll": "batches", "fullDocument.owner": None, "fullDocument.stage": Stage.DISPATCH.value},
        {"ns.coll": "batches", f"{_FREED}.owner": {"$type": "null"}},
        {"ns.coll": "batches", f"{_FREED}.stage": Stage.DISPATCH.value},
    ]
}


@translated
def new_work(database: Store) -> Iterator[bool]:
    """Yield True when there may be new work, and False about once a second without any.

    Ends only by an error of the connection: the caller opens another stream, and polls besides.
    """
    with database.watch([{"$match": _WORK}, {"$project": {"_id": 1}}], max_await_time_ms=_AWAIT) as stream:
        while stream.alive:
            yield stream.try_next() is not None
