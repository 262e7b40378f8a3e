"""Makes a mongod on this machine the primary of a replica set of one, whatever state its data is in."""

import contextlib
import time
from collections.abc import Callable
from typing import Any

from pymongo import MongoClient, errors
from pymongo.database import Database

from notify_server.errors import DatabaseUnavailable

_NOT_YET_INITIALIZED = 94  # MongoDB error codes, NotYetInitialized
_PAUSE = 0.02  # seconds between two looks


def await_primary(name: str, port: int, alive: Callable[[], bool], within: float) -> bool:
    """Wait until the server on `port` is the primary of the set `name`; on the way, initiate or re-address the set.

    Returns False as soon as `alive` says that the process is gone.
    Raises DatabaseUnavailable when it is still no primary after `within` seconds.
    """
    until = time.monotonic() + within
    while alive():
        if _is_primary(name, f"127.0.0.1:{port}"):
            return True
        if time.monotonic() > until:
            raise DatabaseUnavailable(f"mongod on port {port} is no primary after {within:.0f} seconds.")
        time.sleep(_PAUSE)
    return False


def _is_primary(name: str, host: str) -> bool:
    """One look, and one step forward if it is no primary yet."""
    client: MongoClient[dict[str, Any]] = MongoClient(
        host, directConnection=True, serverSelectionTimeoutMS=_PAUSE * 1000, connectTimeoutMS=1000
    )
    with client, contextlib.suppress(errors.ConnectionFailure, errors.OperationFailure):  # it is still starting
        hello = client.admin.command("hello")
        if hello["isWritablePrimary"]:
            return True
        if "setName" not in hello:
            _configure(client.admin, name, host)
    return False


def _configure(admin: Database[dict[str, Any]], name: str, host: str) -> None:
    """Initiate a new set; where the data knows a set under another port, force the new address on it."""
    try:
        config = admin.command("replSetGetConfig")["config"]
    except errors.OperationFailure as error:
        if error.code == _NOT_YET_INITIALIZED:
            admin.command("replSetInitiate", {"_id": name, "members": [{"_id": 0, "host": host}]})
        return
    config["members"][0]["host"] = host
    config["version"] += 1
    admin.command("replSetReconfig", config, force=True)
