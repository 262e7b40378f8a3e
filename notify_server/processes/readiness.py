"""Waiting for the database before the work begins."""

from threading import Event

import structlog

from notify_server.config import Config
from notify_server.errors import DatabaseUnavailable, MigrationsPending
from notify_server.storage.database import connect, require_replica_set
from notify_server.storage.documents import Store
from notify_server.storage.migrations import require_current

log = structlog.get_logger()

_AGAIN = 0.25  # seconds


def await_database(config: Config, stopped: Event) -> Store | None:
    """The database, once it answers and is migrated; None when `stopped` was set first.

    Raises NotAReplicaSet, which no waiting mends.
    """
    said = ""
    while not stopped.is_set():
        try:
            return _open(config)
        except (DatabaseUnavailable, MigrationsPending) as error:
            if str(error) != said:
                said = str(error)
                log.warning("waiting for the database", problem=said)
            stopped.wait(_AGAIN)
    return None


def _open(config: Config) -> Store:
    database = connect(config)
    try:
        require_replica_set(database)
        require_current(database)
    except BaseException:
        database.client.close()
        raise
    return database
