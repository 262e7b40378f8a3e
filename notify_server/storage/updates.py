"""The collection `updates`: what a user's open sockets are told of changes to their entries, whoever made them.

A small capped collection, followed by a tailable cursor, like `signals`. An update that is lost leaves an app with an
old status until it asks; nothing else depends on one.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from time import sleep

from bson import ObjectId
from pymongo import CursorType
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern

from notify_server.domain.registry import Status
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store

COLLECTION = "updates"
SIZE = 4 * 1024 * 1024  # bytes: twenty thousand receipts
_AWAIT = 500  # milliseconds
_EMPTY = 0.2  # seconds until a cursor that died is opened again


@dataclass(frozen=True, slots=True)
class Update:
    """What changed for `user`: the new status by notification, or all that was `marked` as read at once.

    `is_read` is the user's own mark. `marked` names groups, categories and a time, as the user did. The socket with the
    session id `origin` made the change and knows of it.
    """

    user: str
    statuses: Mapping[str, Status] = field(default_factory=dict)
    is_read: bool | None = None
    marked: Mapping[str, list[str] | str | None] | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Erased:
    """A person was erased: their sockets are to end. Named by the pseudonym, as this stays for long."""

    pseudonym: str


class Updates:
    """Sends updates without waiting for an answer."""

    def __init__(self, database: Store) -> None:
        self._all = database.get_collection(COLLECTION, write_concern=WriteConcern(w=0))

    def send(self, update: Update | Erased) -> None:
        """Tell every gateway; those without sockets of the user do nothing."""
        with suppress(PyMongoError):
            self._all.insert_one(_document(update))


@translated
class Forgetting:
    """Takes people out of what was sent: it stays until it is overwritten, which may be never."""

    def __init__(self, database: Store) -> None:
        self._all = database[COLLECTION]

    def forget(self, user: str) -> None:
        """Blank every update of `user`, in its place: listeners go on from where they are."""
        self._all.update_many({"user": user}, {"$set": {"user": None, "statuses": {}, "marked": None, "origin": None}})


@translated
class Following:
    """One gateway's place among the updates: it hears each once, from now on."""

    def __init__(self, database: Store) -> None:
        self._all = database[COLLECTION]
        self._last = self._newest()

    def heard(self) -> Iterator[Update | Erased | None]:
        """Yield each new update, and None about twice a second without any.

        Ends when the cursor dies or the connection breaks: called again, it goes on where it was. Where that has been
        overwritten meanwhile, it goes on with the oldest that is left.
        """
        known = self._last is not None  # what comes until then was heard
        with self._all.find(cursor_type=CursorType.TAILABLE_AWAIT).max_await_time_ms(_AWAIT) as cursor:
            while cursor.alive:
                found = next(cursor, None)
                if found is None and known:
                    self._last = None  # overwritten: it did not come, and all that did is new
                    break
                if found is None:
                    yield None
                    continue
                if known:
                    known = found["_id"] != self._last
                    continue
                self._last = found["_id"]
                if found.get("erased") is not None:
                    yield Erased(found["erased"])
                elif found.get("user") is not None:
                    yield _update(found)
        sleep(_EMPTY)

    def _newest(self) -> ObjectId | None:
        found = self._all.find_one({}, {"_id": 1}, sort=[("$natural", -1)])
        return None if found is None else found["_id"]


def _document(update: Update | Erased) -> Document:
    if isinstance(update, Erased):
        return {"user": None, "erased": update.pseudonym}
    # Ids of notifications are names of fields here: hexadecimal digits, which no path can be mistaken for.
    return {**asdict(update), "statuses": {n: status.value for n, status in update.statuses.items()}}


def _update(document: Document) -> Update:
    fields = {name: document[name] for name in ("user", "is_read", "marked", "origin")}
    return Update(statuses={n: Status(status) for n, status in document["statuses"].items()}, **fields)
