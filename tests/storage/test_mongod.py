from pathlib import Path

import pytest

from notify_server.errors import NoEmbeddedDatabase
from notify_server.storage import mongod
from notify_server.storage.documents import Store


def script(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def test_the_first_binary_that_runs_is_taken(tmp_path):
    missing = tmp_path / "missing"
    good = script(tmp_path / "good", "echo db version v7.0.1")
    assert mongod.find([missing, good, *mongod.candidates()]) == good


def test_a_real_binary_is_among_the_candidates():
    assert mongod.find(mongod.candidates()).name == "mongod"


def test_every_binary_that_does_not_fit_is_named_with_its_reason(tmp_path):
    unlinked = script(tmp_path / "unlinked", "echo 'libcurl.so.4: cannot open shared object file' >&2; exit 127")
    old = script(tmp_path / "old", "echo db version v4.4.29")
    foreign = tmp_path / "foreign"
    foreign.write_bytes(b"\x7fELF of another machine")
    foreign.chmod(0o755)
    with pytest.raises(NoEmbeddedDatabase) as caught:
        mongod.find([unlinked, old, foreign])
    message = str(caught.value)
    assert f"{unlinked}: ended with status 127 libcurl.so.4" in message
    assert f"{old}: is older than 5.0" in message
    assert f"{foreign}: [Errno 8]" in message
    assert "NOTIFY_MONGODB_URI" in message


def test_the_cache_suits_the_machine():
    assert 0.25 <= mongod.cache_size() <= 16


def test_the_command_line_binds_the_loopback_interface_and_keeps_spaces(tmp_path):
    command = mongod.command(Path("/bin/mongod"), tmp_path / "a b", tmp_path / "log", 1234, 0.5)
    assert command[:5] == ["/bin/mongod", "--dbpath", str(tmp_path / "a b"), "--port", "1234"]
    assert command[command.index("--bind_ip") + 1] == "127.0.0.1"
    assert command[command.index("--wiredTigerCacheSizeGB") + 1] == "0.50"


def test_a_running_server_lets_changed_pages_stay_in_its_cache(database: Store) -> None:
    told = database.client.admin.command("getCmdLineOpts")["parsed"]["storage"]["wiredTiger"]["engineConfig"]
    assert "eviction_dirty_target=20," in told["configString"]


def test_a_running_server_keeps_no_old_versions_for_long(database: Store) -> None:
    told = database.client.admin.command("getParameter", minSnapshotHistoryWindowInSeconds=1)
    assert told["minSnapshotHistoryWindowInSeconds"] == 30
