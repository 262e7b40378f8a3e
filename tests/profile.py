"""What MongoDB says of the queries that it was sent."""

from collections.abc import Iterator
from contextlib import contextmanager

from notify_server.storage.documents import Document, Store


@contextmanager
def profiled(database: Store, collection: str) -> Iterator[list[Document]]:
    """The queries of a collection in this block, and the pages that were fetched of them: filled when it is left."""
    asked: list[Document] = []
    database.command("profile", 2)
    try:
        yield asked
    finally:
        database.command("profile", 0)
        asked += database["system.profile"].find({"ns": f"{database.name}.{collection}", "op": {"$ne": "insert"}})
        database.drop_collection("system.profile")
