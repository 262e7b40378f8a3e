import socketserver
import subprocess
import threading
import time

import psutil
import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from notify_server.config import Config
from notify_server.errors import DatabaseUnavailable, NoEmbeddedDatabase
from notify_server.storage.database import connect, require_replica_set, uri_file
from notify_server.storage.embedded import EmbeddedDatabase
from tests.mongod import CACHE, Mongod, embedded


@pytest.fixture
def server(tmp_path):
    _, made = embedded(tmp_path / "data")
    yield made
    made.stop()


def test_it_is_a_replica_set_that_others_find_by_the_data_directory(tmp_path, server):
    config = Config(data_dir=tmp_path / "data")
    uri = server.start()
    assert uri_file(config).read_text().strip() == uri
    database = connect(config)
    with database.client:
        require_replica_set(database)


def test_a_clean_stop_withdraws_the_uri_and_keeps_data_and_port(tmp_path, server):
    config = Config(data_dir=tmp_path / "data")
    first = server.start()
    with connect(config).client as client:
        client.notify.things.insert_one({"_id": 1})
    server.stop()
    assert server.pid is None
    with pytest.raises(DatabaseUnavailable):
        connect(config)
    assert server.start() == first
    with connect(config).client as client:
        assert client.notify.things.count_documents({}) == 1


def test_it_listens_on_the_loopback_interface_only(server):
    server.start()
    listening = [link.laddr.ip for link in psutil.Process(server.pid).net_connections() if link.status == "LISTEN"]
    assert listening == ["127.0.0.1"]


def test_every_acknowledged_write_survives_a_kill_9_in_mid_write(mongod: Mongod):
    acknowledged: list[int] = []
    client = MongoClient(mongod.uri, w="majority", serverSelectionTimeoutMS=200)

    def write_until_it_dies() -> None:
        try:
            for number in range(1_000_000):
                client.notify.things.insert_one({"_id": number})
                acknowledged.append(number)
        except PyMongoError:
            return

    writer = threading.Thread(target=write_until_it_dies)
    writer.start()
    while len(acknowledged) < 200:
        time.sleep(0.01)
    mongod.kill()
    writer.join()
    mongod.start()
    with client, connect(mongod.config).client as after:
        kept = {document["_id"] for document in after.notify.things.find()}
    assert kept.issuperset(acknowledged)
    assert len(acknowledged) >= 200


class Stranger(socketserver.TCPServer):
    """Some other program's port: it hangs up on everybody."""

    allow_reuse_address = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), socketserver.BaseRequestHandler)


def test_a_port_that_a_stranger_took_is_replaced_and_the_data_stays(mongod: Mongod):
    with connect(mongod.config).client as client:
        client.notify.things.insert_one({"_id": 1})
        port = client.primary[1]
    mongod.kill()
    with Stranger(port) as stranger:
        threading.Thread(target=stranger.serve_forever).start()
        uri = mongod.start()
        stranger.shutdown()
    assert f":{port}/" not in uri
    with MongoClient(uri) as client:
        assert client.notify.things.count_documents({}) == 1
        assert client.primary != ("127.0.0.1", port)


def test_a_second_server_on_the_same_data_says_so_and_leaves_the_first_alone(mongod: Mongod):
    second = EmbeddedDatabase(mongod.config, cache=CACHE)
    with pytest.raises(NoEmbeddedDatabase, match="Another mongod instance is already running"):
        second.start()
    database = connect(mongod.config)
    with database.client:
        require_replica_set(database)


def test_a_long_log_is_set_aside_at_the_start(tmp_path, server):
    server.log.parent.mkdir(parents=True)
    server.log.write_bytes(b"x" * (17 * 1024 * 1024))
    server.start()
    assert server.log.with_suffix(".log.1").read_bytes()[:1] == b"x"
    assert server.log.stat().st_size < 1024 * 1024


def test_without_a_binary_that_runs_here_nothing_is_made_and_the_way_out_is_named(tmp_path):
    server = EmbeddedDatabase(Config(data_dir=tmp_path / "data"), binaries=[])
    with pytest.raises(NoEmbeddedDatabase, match="NOTIFY_MONGODB_URI"):
        server.start()
    assert not (tmp_path / "data").exists()


def test_no_message_body_reaches_the_log_of_the_server(tmp_path, server):
    server.start()
    with connect(Config(data_dir=tmp_path / "data")).client as client:
        client.notify.things.insert_one({"_id": 1, "body": "very private"})
        with pytest.raises(OperationFailure):
            client.notify.things.find_one({"$where": "'very private'"})
        client.notify.things.find_one({"body": "very private"})
    server.stop()
    assert server.log.stat().st_size > 0
    assert "very private" not in server.log.read_text()


def test_the_command_line_starts_a_server_of_the_supervisors_own(tmp_path):
    _, server = embedded(tmp_path / "data")
    process = subprocess.Popen(server.prepare(), stdout=subprocess.DEVNULL)
    try:
        with MongoClient(server.await_ready(lambda: process.poll() is None)) as client:
            assert client.admin.command("hello")["setName"] == "notify"
    finally:
        process.terminate()
        process.wait(60)
