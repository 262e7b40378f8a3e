"""What has to be known for sure: that a majority of the members has it."""

from collections.abc import Callable
from typing import TypeVar

import pymongo
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.read_concern import ReadConcern

from notify_server.storage.database import CONFIRM_WITHIN
from notify_server.storage.documents import Document, Store

_Result = TypeVar("_Result")


def confirmed(
    collection: Collection[Document], conditions: Document, fields: Document | None = None
) -> Document | None:
    """The one document that meets `conditions` on a unique key, once a majority has it; None where there is none.

    For what a DuplicateKeyError speaks of: beside that, the driver keeps to itself that no majority has confirmed it.
    Raises PyMongoError when none has after ten seconds (MongoDB manual, "Read Concern linearizable").
    """
    durable = collection.with_options(read_concern=ReadConcern("linearizable"))
    return durable.find_one(conditions, fields, max_time_ms=int(CONFIRM_WITHIN * 1000))


def in_transaction(
    database: Store,
    write: Callable[[ClientSession], _Result],
    within: float = CONFIRM_WITHIN,
    read_concern: ReadConcern | None = None,
) -> _Result:
    """What `write` returns, run in a transaction: again where it met another, but for `within` seconds in all.

    By itself the driver goes on for two minutes. Raises PyMongoError; after a timeout nobody knows what was written.
    """
    with pymongo.timeout(within), database.client.start_session() as session:
        return session.with_transaction(write, read_concern=read_concern)


def in_snapshot(database: Store, write: Callable[[ClientSession], _Result]) -> _Result:
    """The same, where all that is read is of one moment, also in a sharded cluster."""
    return in_transaction(database, write, read_concern=ReadConcern("snapshot"))
