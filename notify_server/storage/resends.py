"""The collection `resends`: what backends asked to be sent again, until all of it is queued."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from notify_server.domain.batch import Batch, BatchKey, Rank, Stage
from notify_server.domain.notification import Channel, State
from notify_server.storage.batch_document import to_document
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, object_id
from notify_server.storage.majority import confirmed, in_transaction

_WHOLE = "all"
_PLAIN = ("token", "at", "queued", "cursor")


@dataclass(frozen=True, slots=True)
class Request:
    """Send a notification again to whoever it was sent to until `at`: to `users`, sorted, or to all (None).

    `queued` are the recipients it was made for. `token` tells its batches from others. Whoever comes up to `cursor`
    in the order of user ids has been queued.
    """

    notification: str
    users: tuple[str, ...] | None
    token: str
    at: datetime
    queued: int
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Again:
    """The next page of a request: its users, each with the number of their resends so far; where it ends; by what."""

    request: Request
    page: Mapping[str, int]
    end: str
    channel: Channel = Channel.PUSH


@translated
class Resends:
    """Keeps requests, and queues their pages."""

    def __init__(self, database: Database[Document]) -> None:
        self._all = database["resends"]
        self._notifications = database["notifications"]
        self._batches = database["batches"]

    def add(self, request: Request) -> Request:
        """Store `request`; where the same one waits already, that one counts and is returned."""
        try:
            self._all.insert_one(_to_document(request))
        except DuplicateKeyError:
            found = confirmed(self._all, {"_id": _key(request)})
            return request if found is None else _from_document(found)
        return request

    def requested(self, notification: str) -> bool:
        """Whether a request for a notification is not queued completely."""
        return self._all.find_one({"_id.n": object_id(notification)}, {"_id": 1}) is not None

    def waiting(self, limit: int) -> list[Request]:
        """Requests that are not queued completely, those of the oldest notifications first."""
        return [_from_document(document) for document in self._all.find().sort("_id", 1).limit(limit)]

    def finish(self, request: Request) -> None:
        """Forget it."""
        self._all.delete_one(_exactly(request))

    def queue(self, again: Again, now: datetime, rank: Rank) -> Request | None:
        """Queue the users of a page, and move the cursor to its end.

        Who is in a batch that waits to be sent is left there; who is in one that waits for receipts is taken out of it.
        All or nothing. None, and nothing is changed, where another scheduler was here before, where nothing of the
        notification may be sent any more, or where somebody of the page is being sent to at this moment.
        """

        def write(session: ClientSession) -> Request | None:
            request, page = again.request, again.page
            if not self._go_on(request, page, again.end, now, session):
                return None
            users = self._take(again, now, session)
            if users is None:
                session.abort_transaction()
                return None
            batches = [to_document(batch) for batch in _batches(again, users, now, rank)]
            if batches:
                self._batches.insert_many(batches, session=session)
            return replace(request, cursor=again.end)

        return in_transaction(self._all.database, write)

    def _go_on(
        self, request: Request, page: Mapping[str, int], end: str, now: datetime, session: ClientSession
    ) -> bool:
        """Move the cursor. The count in the notification makes two requests for it wait for each other."""
        moved = self._all.update_one(
            _exactly(request) | {"cursor": request.cursor}, {"$set": {"cursor": end}}, session=session
        )
        may_be_sent = {"open": True, "state": {"$ne": State.CANCELLED.value}, "expires_at": {"$gt": now}}
        counted = self._notifications.update_one(
            {"_id": object_id(request.notification)} | may_be_sent, {"$inc": {"requested": len(page)}}, session=session
        )
        if moved.matched_count and counted.matched_count:
            return True
        session.abort_transaction()
        return False

    def _take(self, again: Again, now: datetime, session: ClientSession) -> list[str] | None:
        """Those of the page who wait in no batch to be sent, out of those that wait for receipts.

        None where one of their batches is leased, or due: that they are `sent` may have been written ahead of its end,
        and then it sends nothing to them. (One that begins another resend does.)
        """
        notification, users = object_id(again.request.notification), list(again.page)
        ours = {"_id.n": notification, "_id.c": again.channel.value, "users": {"$in": users}}
        stages = {"stage": {"$in": [Stage.DISPATCH.value, Stage.CONFIRM.value]}}
        found = list(self._batches.find(ours | stages, session=session))
        to_be_sent = [batch for batch in found if batch["stage"] == Stage.DISPATCH]
        under_way = [batch for batch in to_be_sent if batch["owner"] is not None or batch["due_at"] <= now]
        if any(again.page.get(user, -1) >= batch["resends"] for batch in under_way for user in batch["users"]):
            return None
        queued = {user for batch in to_be_sent for user in batch["users"]}
        free = [user for user in users if user not in queued]
        confirming = {"_id": {"$in": [batch["_id"] for batch in found if batch["stage"] == Stage.CONFIRM]}}
        if confirming["_id"]["$in"]:
            self._batches.update_many(confirming, {"$pullAll": {"users": free}}, session=session)
            self._batches.delete_many(confirming | {"users": []}, session=session)
        return free


def _batches(again: Again, users: list[str], now: datetime, rank: Rank) -> Iterator[Batch]:
    """One for each number of resends so far: an entry is only sent again by a batch with a higher one."""
    request, page = again.request, again.page
    for resends in sorted({page[user] for user in users}):
        key = BatchKey(request.notification, again.channel, request.cursor, f"resend:{request.token}:{resends}")
        alike = tuple(user for user in users if page[user] == resends)
        yield Batch(key, alike, now, rank, resends=resends + 1)


def _key(request: Request) -> Document:
    """The same for two requests that ask for the same."""
    named = _WHOLE if request.users is None else sha256("\n".join(request.users).encode()).hexdigest()
    return {"n": object_id(request.notification), "of": named}


def _exactly(request: Request) -> Document:
    return {"_id": _key(request), "token": request.token}


def _to_document(request: Request) -> Document:
    users = None if request.users is None else list(request.users)
    return {"_id": _key(request), "users": users, **{name: getattr(request, name) for name in _PLAIN}}


def _from_document(document: Document) -> Request:
    users = None if document["users"] is None else tuple(document["users"])
    return Request(str(document["_id"]["n"]), users, **{name: document[name] for name in _PLAIN})
