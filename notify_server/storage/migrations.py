"""Runs the numbered modules of the package `migrations` that a database has not seen yet, and records them there."""

import contextlib
import importlib
import pkgutil
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import structlog
from pymongo.database import Database

from notify_server.errors import DatabaseUnavailable, MigrationsPending
from notify_server.storage.database import translated
from notify_server.storage.documents import Document
from notify_server.storage.leases import Leases

Clock = Callable[[], datetime]

log = structlog.get_logger()
_NAME = re.compile(r"m\d{4}_[a-z0-9_]+")
_LEASE = "migrations"
_TURN = timedelta(seconds=30)  # how long the others wait for a runner that died
_LOOK_AGAIN = 0.2  # seconds


def utc_now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


def known(package: str = "migrations") -> list[str]:
    """The names of all migrations of this code, in their order."""
    path = importlib.import_module(package).__path__
    return sorted(module.name for module in pkgutil.iter_modules(path) if _NAME.fullmatch(module.name))


@translated
def pending(database: Database[Document], package: str = "migrations") -> list[str]:
    """The names of the migrations that this database has not seen, in their order.

    Raises MigrationsPending when it has seen one that this code does not know: the database is newer.
    """
    names = known(package)
    applied = {record["_id"] for record in database["migrations"].find({}, {"_id": 1})}
    if unknown := sorted(applied.difference(names)):
        raise MigrationsPending(
            f"The database {database.name!r} is newer than this code: it has {', '.join(unknown)}. "
            "Deploy the newer code, or restore the database from before."
        )
    return [name for name in names if name not in applied]


def require_current(database: Database[Document], package: str = "migrations") -> None:
    """Return when the database is exactly at this code's version. Raises MigrationsPending."""
    if names := pending(database, package):
        raise MigrationsPending(f"Run `notify-server migrate`: {', '.join(names)} not applied to {database.name!r}.")


def run(database: Database[Document], package: str = "migrations", clock: Clock = utc_now) -> list[str]:
    """Apply what is pending, one after the other; return the names of those applied here.

    Several runners may start at once: one works, the others wait for it. A migration that raises is not recorded,
    and ends the run.
    Raises MigrationsPending as `pending` does, and DatabaseUnavailable.
    """
    with _turn(Leases(database), clock):
        names = pending(database, package)
        for name in names:
            _apply(database, package, name, clock)
    return names


@translated
def _apply(database: Database[Document], package: str, name: str, clock: Clock) -> None:
    began = time.monotonic()
    importlib.import_module(f"{package}.{name}").apply(database)
    seconds = round(time.monotonic() - began, 3)
    database["migrations"].insert_one({"_id": name, "applied_at": clock(), "seconds": seconds})
    log.info("migration applied", migration=name, seconds=seconds)


@contextlib.contextmanager
def _turn(leases: Leases, clock: Clock) -> Iterator[None]:
    """Wait for the lease of the one runner, keep it renewed, and give it up at the end."""
    owner = uuid.uuid4().hex
    hold = translated(leases.hold)
    while not hold(_LEASE, owner, clock(), clock() + _TURN):
        time.sleep(_LOOK_AGAIN)
    done = threading.Event()

    def renew() -> None:
        while not done.wait(_TURN.total_seconds() / 3):
            with contextlib.suppress(DatabaseUnavailable):  # the migration itself meets it, too
                hold(_LEASE, owner, clock(), clock() + _TURN)

    renewal = threading.Thread(target=renew, name="migrations-lease", daemon=True)
    renewal.start()
    try:
        yield
    finally:
        done.set()
        renewal.join()
        leases.release(_LEASE, owner)
