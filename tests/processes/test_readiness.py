import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from notify_server.config import Config
from notify_server.errors import NotAReplicaSet
from notify_server.processes.readiness import await_database
from notify_server.storage import migrations, mongod
from notify_server.storage.documents import Store
from tests.fcm_simulator import free_port
from tests.mongod import CACHE
from tests.service import until


@pytest.fixture
def stopped() -> threading.Event:
    return threading.Event()


@pytest.fixture
def waiting(stopped) -> Iterator[ThreadPoolExecutor]:
    """Where somebody waits, until the test is over."""
    with ThreadPoolExecutor(1) as pool:
        yield pool
        stopped.set()


@pytest.fixture
def standalone(tmp_path: Path) -> Iterator[Config]:
    """A mongod that is no replica set."""
    port, data = free_port(), tmp_path / "data"
    data.mkdir()
    command = mongod.command(mongod.find(mongod.candidates()), data, tmp_path / "log", port, CACHE)
    at = command.index("--replSet")
    del command[at : at + 2]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        yield Config(mongodb_uri=f"mongodb://127.0.0.1:{port}", data_dir=tmp_path)
        process.kill()


def close(database: Store | None) -> None:
    assert database is not None
    database.client.close()


def test_a_database_that_is_ready_is_opened(config, database, stopped):
    opened = await_database(config, stopped)
    assert opened is not None
    assert opened.name == config.database
    assert opened.migrations.count_documents({}) == len(migrations.known())
    close(opened)


def test_a_database_that_is_not_migrated_is_waited_for_and_said_so_once(config, bare_database, stopped, waiting):
    with capture_logs() as logs:
        opening: Future[Store | None] = waiting.submit(
            await_database, replace(config, database=bare_database.name), stopped
        )
        until(lambda: logs)
        assert not opening.done()
        migrations.run(bare_database)
        close(opening.result())
    [said] = [log["problem"] for log in logs if log["event"] == "waiting for the database"]
    assert "Run `notify-server migrate`" in said


def test_a_server_that_does_not_answer_is_waited_for(mongod, stopped, waiting):
    config = Config(mongodb_uri=mongod.uri, database="notify")
    mongod.kill()
    with capture_logs() as logs:
        opening = waiting.submit(await_database, config, stopped)
        until(lambda: logs)
        assert not opening.done()
        mongod.start()
        until(lambda: len(logs) > 1)  # it answers now, and is not migrated
    assert "does not answer" in logs[0]["problem"]
    assert "migrate" in logs[1]["problem"]
    stopped.set()
    assert opening.result() is None


def test_an_embedded_database_that_is_not_up_yet_is_waited_for(tmp_path, mongodb_uri, stopped, waiting):
    config = Config(data_dir=tmp_path)
    with capture_logs() as logs:
        opening = waiting.submit(await_database, config, stopped)
        until(lambda: logs)
        config.run_dir.mkdir(parents=True)
        (config.run_dir / "mongodb.uri").write_text(mongodb_uri)
        until(lambda: len(logs) > 1)
    assert "no embedded database runs" in logs[0]["problem"]
    assert "migrate" in logs[1]["problem"]
    stopped.set()
    assert opening.result() is None


def test_nobody_waits_after_a_signal(config, stopped):
    stopped.set()
    assert await_database(replace(config, database="none_at_all"), stopped) is None


def test_a_standalone_server_is_not_waited_for(standalone, stopped):
    with pytest.raises(NotAReplicaSet, match="replSet"):
        await_database(standalone, stopped)
