import socket

import pytest

from notify_server.errors import DatabaseUnavailable
from notify_server.storage import replica_set
from notify_server.storage.mongod import REPLICA_SET


def test_a_process_that_is_gone_is_no_primary():
    assert replica_set.await_primary(REPLICA_SET, 1, alive=lambda: False, within=60) is False


def test_a_server_that_never_becomes_primary_is_given_up():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        with pytest.raises(DatabaseUnavailable, match="is no primary after 0 seconds"):
            replica_set.await_primary(REPLICA_SET, silent.getsockname()[1], alive=lambda: True, within=0)


def test_a_set_that_has_its_primary_is_left_as_it_is(mongod):
    port = int(mongod.config.run_dir.joinpath("mongodb.uri").read_text().split(":")[2].split("/")[0])
    assert replica_set.await_primary(REPLICA_SET, port, alive=lambda: True, within=60) is True
