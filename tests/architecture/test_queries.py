"""What migrations make equals what the queries need: MongoDB's profiler watches every method of storage/ at work."""

import importlib
import inspect
import pkgutil
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from notify_server import storage
from notify_server.config import Config
from notify_server.storage import migrations
from notify_server.storage.database import connect
from notify_server.storage.documents import Document, Store
from tests.architecture.storage_at_work import Work

UNWATCHED = {
    "Signals",
    "Updates",
    "Following",
    "Forgetting",
}  # their listeners follow a capped collection in natural order, which is what it is for
CAPPED = {"updates"}  # small, and without an index that each receipt would pay for
SORTED_IN_MEMORY = {"devices", "templates"}  # those of one user; names, of which there are few
EXPIRING = "to_end"  # the name of indexes by which MongoDB itself removes what has ended
_PROFILE_SIZE = 64 * 1024 * 1024  # bytes


class Watched:
    """A database in which everything was done once, and what MongoDB says of it."""

    def __init__(self, database: Store) -> None:
        self.database = database
        migrations.run(database)
        work = Work(database)
        database.create_collection("system.profile", capped=True, size=_PROFILE_SIZE)
        database.command("profile", 2)
        work.all()
        database.command("profile", 0)
        self.called = work.called
        self.queries = self.profiled()

    def profiled(self) -> list[Document]:
        """The profile so far of each operation on our collections that had to find something."""
        found = self.database["system.profile"].find(
            {"op": {"$ne": "insert"}, "ns": {"$ne": f"{self.database.name}.system.profile"}}
        )
        return [query for query in found if "planSummary" in query]

    def indexes(self) -> dict[tuple[str, str], int]:
        """How often each index was used, by collection and name."""
        names = set(self.database.list_collection_names()) - {"system.profile", "migrations"}
        return {
            (name, index["name"]): index["accesses"]["ops"]
            for name in names
            for index in self.database[name].aggregate([{"$indexStats": {}}])
        }


@pytest.fixture(scope="module")
def watched(mongodb_uri: str) -> Iterator[Watched]:
    database = connect(Config(mongodb_uri=mongodb_uri, database=f"queries_{uuid.uuid4().hex[:8]}"))
    yield Watched(database)
    database.client.drop_database(database)
    database.client.close()


def described(query: Document) -> str:
    return f"{query['ns']} {query['op']} {query['planSummary']}: {query.get('command')}"


def public_methods() -> set[str]:
    """Of every class in storage/ that is opened on a database."""
    found = set[str]()
    for module in pkgutil.iter_modules(storage.__path__, "notify_server.storage."):
        for name, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if kind.__module__ == module.name and name not in UNWATCHED and _opened_on_a_database(kind):
                found |= {
                    f"{name}.{method}" for method, _ in inspect.getmembers(kind, inspect.isfunction) if method[0] != "_"
                }
    return found


def _opened_on_a_database(kind: Any) -> bool:
    return "database" in inspect.signature(kind).parameters


def test_every_method_was_watched(watched: Watched) -> None:
    assert watched.called == public_methods()


def test_no_query_scans_a_collection(watched: Watched) -> None:
    assert len(watched.queries) > 100
    scans = [query for query in watched.queries if "COLLSCAN" in query["planSummary"]]
    assert [described(query) for query in scans if query["ns"].partition(".")[2] not in CAPPED] == []


def test_nothing_is_sorted_in_memory_but_what_is_small(watched: Watched) -> None:
    sorting = {query["ns"].partition(".")[2] for query in watched.queries if query.get("hasSortStage")}
    assert sorting <= SORTED_IN_MEMORY


def test_every_index_is_used_by_a_query(watched: Watched) -> None:
    unused = [index for index, uses in watched.indexes().items() if not uses]
    assert [index for index in unused if index[1] not in {"_id_", EXPIRING}] == []


def test_a_query_without_an_index_would_be_seen(watched: Watched) -> None:
    watched.database.command("profile", 2)
    watched.database["registry"].find_one({"attempts": 99})
    watched.database.command("profile", 0)
    assert any("COLLSCAN" in query["planSummary"] for query in watched.profiled())
