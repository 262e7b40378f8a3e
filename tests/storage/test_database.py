import dataclasses
import os
import signal
import socket
import subprocess
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo import InsertOne, MongoClient, WriteConcern
from pymongo.errors import BulkWriteError, DuplicateKeyError, WriteError

from notify_server.config import Config
from notify_server.errors import ConfigurationError, DatabaseUnavailable, NotAReplicaSet
from notify_server.storage import mongod as binary
from notify_server.storage.database import connect, ping, require_replica_set, translated, uri, uri_file
from notify_server.storage.documents import insert_new
from tests.mongod import CACHE


@pytest.fixture
def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture
def nobody(free_port):
    """A database whose server does not exist."""
    database = connect(Config(mongodb_uri=f"mongodb://127.0.0.1:{free_port}"))
    yield database
    database.client.close()


def test_the_configured_uri_wins_over_the_embedded_database(tmp_path):
    config = Config(mongodb_uri="mongodb://elsewhere", data_dir=tmp_path)
    uri_file(config).parent.mkdir()
    uri_file(config).write_text("mongodb://embedded\n")
    assert uri(config) == "mongodb://elsewhere"
    assert uri(dataclasses.replace(config, mongodb_uri="")) == "mongodb://embedded"


def test_without_any_database_the_message_names_both_ways_out(tmp_path):
    with pytest.raises(DatabaseUnavailable, match=r"Set NOTIFY_MONGODB_URI, or start one with `notify-server up`"):
        connect(Config(data_dir=tmp_path))


def test_a_malformed_uri_names_its_variable_and_does_not_show_the_password():
    with pytest.raises(ConfigurationError, match="NOTIFY_MONGODB_URI") as caught:
        connect(Config(mongodb_uri="mongodb://user:pa/ssword@host:port"))
    assert "ssword" not in str(caught.value)


def test_documents_come_back_with_aware_times_and_writes_wait_for_a_majority_but_not_for_ever(database):
    assert database.write_concern == WriteConcern("majority", wtimeout=10_000)
    assert database.client.options.retry_writes
    assert database.client.options.retry_reads
    database.things.insert_one({"at": datetime(2026, 1, 1, tzinfo=UTC)})
    assert database.things.find_one()["at"] == datetime(2026, 1, 1, tzinfo=UTC)


def test_migrations_wait_for_a_majority_as_long_as_that_takes(config):
    database = connect(config, read_within=None)
    with database.client:
        assert database.write_concern == WriteConcern("majority", wtimeout=0)


def test_a_replica_set_is_accepted(database):
    ping(database)
    require_replica_set(database)


def test_a_server_that_does_not_answer_is_unavailable(nobody):
    with pytest.raises(DatabaseUnavailable, match="does not answer"):
        require_replica_set(nobody)


@pytest.fixture
def server(tmp_path, free_port):
    """Starts a mongod with the given further arguments, and returns its port."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> int:
        path, cache = binary.find(binary.candidates()), str(CACHE)
        command = [path, "--dbpath", tmp_path, "--port", str(free_port), "--bind_ip", "127.0.0.1", "--nounixsocket"]
        command += ["--wiredTigerCacheSizeGB", cache, "--logpath", tmp_path / "log", *arguments]
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        with MongoClient("127.0.0.1", free_port, directConnection=True, serverSelectionTimeoutMS=30_000) as client:
            client.admin.command("hello")
        return free_port

    yield start
    for process in started:
        process.terminate()
        process.wait(60)


def test_a_standalone_server_is_refused_with_the_way_to_turn_it_into_a_replica_set(server):
    database = connect(Config(mongodb_uri=f"mongodb://127.0.0.1:{server()}"))
    with database.client, pytest.raises(NotAReplicaSet, match=r"--replSet NAME .* rs.initiate\(\)"):
        require_replica_set(database)


def test_a_replica_set_that_was_never_initiated_is_refused_with_the_missing_step(server):
    database = connect(Config(mongodb_uri=f"mongodb://127.0.0.1:{server('--replSet', 'rs')}"))
    with database.client, pytest.raises(NotAReplicaSet, match=r"Run rs.initiate\(\)"):
        require_replica_set(database)


@translated
class Things:
    """A storage class like the real ones."""

    def __init__(self, database: Any) -> None:
        self._all = database["things"]

    def add(self, number: int) -> int:
        self._all.insert_one({"_id": number})
        return number

    def walk(self):
        yield from self._all.find(batch_size=2)

    def unsafely(self, *, bulk: bool) -> None:
        two = self._all.with_options(write_concern=WriteConcern(2, wtimeout=100))
        if bulk:
            two.bulk_write([InsertOne({"_id": "bulk"})])
        else:
            two.insert_one({"_id": "single"})

    def again_unsafely(self, number: int) -> int:
        two = self._all.with_options(write_concern=WriteConcern(2, wtimeout=100))
        return insert_new(two, [{"_id": number}])


def test_a_snapshot_that_a_collection_is_too_young_for_is_worth_another_try(database):
    read = translated(lambda name, session: list(database[name].find({}, session=session)))
    with database.client.start_session(snapshot=True) as session:
        read("users", session)
        database["younger"].insert_one({})
        with pytest.raises(DatabaseUnavailable, match="does not answer"):
            read("younger", session)
    database["younger"].drop()


def test_results_and_the_drivers_other_errors_pass_through(database):
    things = Things(database)
    assert things.add(1) == 1
    assert things.add.__name__ == "add"
    assert list(things.walk()) == [{"_id": 1}]
    with pytest.raises(DuplicateKeyError):
        things.add(1)


@pytest.mark.parametrize("bulk", [False, True])
def test_a_write_that_too_few_members_confirm_is_unavailable(database, bulk):
    with pytest.raises(DatabaseUnavailable):
        Things(database).unsafely(bulk=bulk)


def test_what_is_there_already_is_unavailable_where_too_few_members_confirm_it(database):
    things = Things(database)
    things.add(1)
    with pytest.raises(DatabaseUnavailable):
        things.again_unsafely(1)


@contextmanager
def hanging(pid):
    """A child process stands still meanwhile, with every thread of it."""
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_server_that_hangs_is_left_though_its_connections_stay_open(mongod):
    database = connect(Config(mongodb_uri=mongod.uri), read_within=None)
    things = Things(database)
    with database.client:
        assert things.add(1) == 1
        with hanging(mongod.pid), pytest.raises(DatabaseUnavailable):
            things.add(2)
        assert things.add(3) == 3


def test_a_database_that_dies_is_unavailable_to_calls_and_to_walks_under_way(mongod):
    with MongoClient(mongod.uri, serverSelectionTimeoutMS=300) as client:
        things = Things(client.notify)
        for number in range(6):
            things.add(number)
        walk = things.walk()
        assert next(walk) == {"_id": 0}
        mongod.kill()
        with pytest.raises(DatabaseUnavailable):
            list(walk)
        with pytest.raises(DatabaseUnavailable):
            things.add(7)
        mongod.start()
        assert things.add(8) == 8


@pytest.mark.parametrize(
    "error",
    [
        WriteError("", 189),  # PrimarySteppedDown: of an update of many, in its midst
        BulkWriteError({"writeErrors": [{"index": 0, "code": 10107}], "writeConcernErrors": []}),
    ],
)
def test_a_primary_that_is_none_any_more_is_away(error):
    @translated
    def write():
        raise error

    with pytest.raises(DatabaseUnavailable):
        write()


def test_the_uri_file_is_in_the_run_directory():
    assert uri_file(Config(data_dir=Path("/somewhere"))) == Path("/somewhere/run/mongodb.uri")
