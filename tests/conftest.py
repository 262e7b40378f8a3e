"""What many tests share: one real mongod a session, and in it a fresh, migrated database a test."""

import gc
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from pymongo import MongoClient
from pymongo.database import Database

from notify_server.config import Config
from notify_server.storage import migrations
from notify_server.storage.database import connect
from tests.mongod import Mongod, embedded, forget_journal

Documents = dict[str, Any]

settings.register_profile("untimed", deadline=None)  # how long an example takes is no matter of a busy machine
settings.load_profile("untimed")


_MEMORY = Path("/dev/shm")  # a file system in memory: nearly every test waits for what it writes to be on disk
_ROOM = 2 * 2**30  # bytes: what a session needs, and as much again


def pytest_collection_finish() -> None:
    """Spare the garbage collector thousands of tests, which stay: it would look through them again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def _disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    if not _MEMORY.is_dir() or shutil.disk_usage(_MEMORY).free < _ROOM:
        yield tmp_path_factory.mktemp("session")
        return
    with tempfile.TemporaryDirectory(prefix="notify-tests-", dir=_MEMORY, ignore_cleanup_errors=True) as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
def mongodb_uri(_disk: Path) -> Iterator[str]:
    """The URI of the session's mongod, a replica set of one.

    It expires nothing by itself: tests live in times long past, and what they write would go while they look at it.
    Nobody kills it, so that its writes need not wait for its journal, which takes half of their time.
    """
    _, server = embedded(_disk)
    uri = server.start()
    with MongoClient[Documents](uri) as client:
        client.admin.command("setParameter", 1, ttlMonitorEnabled=False)
        forget_journal(client)
    yield uri
    server.stop()


@pytest.fixture
def config(mongodb_uri: str, tmp_path: Path, database_name: str) -> Config:
    """A configuration that leads to the test's `database`."""
    return Config(mongodb_uri=mongodb_uri, database=database_name, data_dir=tmp_path)


@pytest.fixture(scope="session")
def database_name() -> str:
    return f"test_{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def _migrated(mongodb_uri: str, database_name: str) -> Iterator[Database[Documents]]:
    database = connect(Config(mongodb_uri=mongodb_uri, database=database_name))
    migrations.run(database)
    yield database
    database.client.drop_database(database)
    database.client.close()


@pytest.fixture
def database(_migrated: Database[Documents]) -> Iterator[Database[Documents]]:
    """A migrated database without documents. It is emptied, not made anew: that takes a tenth of the time."""
    yield _migrated
    empty(_migrated)


@pytest.fixture(scope="module")
def shared_database(_migrated: Database[Documents]) -> Iterator[Database[Documents]]:
    """The same for all tests of a module, and emptied after them."""
    yield _migrated
    empty(_migrated)


def empty(database: Database[Documents], *kept: str) -> None:
    """Delete every document, but those of the collections that are `kept`."""
    left = {"migrations", "keys", *kept}  # the first two are what a process reads once
    for name in _filled(database, sorted(set(database.list_collection_names()) - left)):
        database[name].delete_many({})


def _filled(database: Database[Documents], names: Sequence[str]) -> list[str]:
    """Which of these collections hold anything, asked at once: most are empty after most tests."""

    def one_of(name: str) -> list[Documents]:
        return [{"$limit": 1}, {"$project": {"_id": {"$literal": name}}}]

    return [each["_id"] for each in united(database, names, one_of)]


def united(
    database: Database[Documents], names: Sequence[str], of_each: Callable[[str], Sequence[Documents]]
) -> Iterator[Documents]:
    """What the pipelines `of_each` collection find, asked at once: that takes a fraction of the time."""
    others = [{"$unionWith": {"coll": name, "pipeline": of_each(name)}} for name in names[1:]]
    yield from database[names[0]].aggregate([*of_each(names[0]), *others]) if names else ()


@pytest.fixture
def bare_database(mongodb_uri: str) -> Iterator[Database[Documents]]:
    """A database of the test's own with nothing in it, for tests that change indexes or run migrations."""
    database = connect(Config(mongodb_uri=mongodb_uri, database=f"test_{uuid.uuid4().hex[:12]}"))
    yield database
    database.client.drop_database(database)
    database.client.close()


@pytest.fixture
def mongod(tmp_path: Path) -> Iterator[Mongod]:
    """A mongod of the test's own, started, that it may kill and start again."""
    server = Mongod(tmp_path / "data")
    server.start()
    yield server
    server.stop()
