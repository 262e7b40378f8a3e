"""A real database in which something happens before one of its operations: another process's work, or a death."""

from collections.abc import Callable
from typing import Any

from pymongo.collection import Collection

from notify_server.errors import DatabaseUnavailable
from notify_server.storage.documents import Document, Store
from notify_server.storage.signals import COLLECTION

_READS = {"aggregate", "count_documents", "distinct", "find", "find_one"}
_WRITES = {"bulk_write", "delete_many", "delete_one", "insert_many", "insert_one"}
_UPDATES = {"find_one_and_update", "replace_one", "update_many", "update_one"}
OPERATIONS = _READS | _WRITES | _UPDATES


class Killed(Exception):
    """The process died here."""


def die() -> None:
    """End the process, as far as the database can tell."""
    raise Killed


def away() -> None:
    """The database is not there."""
    raise DatabaseUnavailable


class Interrupted:
    """The database of one process, in which `action` happens once, just before operation number `at` (from 0).

    Pass it wherever a database is taken. Signals are left out: a thread of their own sends them at any time.
    `happened` tells whether the process came that far.
    """

    def __init__(self, database: Store, at: int, action: Callable[[], None]) -> None:
        self._database = database
        self._left = at
        self._action = action
        self.happened = False
        self._ever_after = False
        self.client = database.client

    def __getitem__(self, name: str) -> Any:
        return _Operations(self._database[name], self)

    def get_collection(self, name: str, **options: Any) -> Any:
        """As the driver has it."""
        found = self._database.get_collection(name, **options)
        return found if name == COLLECTION else _Operations(found, self)

    def at(self, operation: int, *, ever_after: bool = False) -> None:
        """Let it happen (again) before this operation from now; before each one that follows, too, if `ever_after`."""
        self._left, self._ever_after = operation, ever_after

    def before_operation(self) -> None:
        """Count one operation, and interrupt it if its turn has come."""
        if self._left == 0:
            self.happened = True
            self._left = 0 if self._ever_after else -1
            self._action()
        elif self._left > 0:
            self._left -= 1


class _Operations:
    def __init__(self, collection: Collection[Document], interrupted: Interrupted) -> None:
        self._collection = collection
        self._interrupted = interrupted

    def __getattr__(self, name: str) -> Any:
        if name in OPERATIONS:
            self._interrupted.before_operation()
        return getattr(self._collection, name)
