"""What there is of a person, all collections over, and its removal."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.client_session import ClientSession

from notify_server.domain.batch import Rank, Stage
from notify_server.domain.erasure import Erasure
from notify_server.domain.inbox import Place
from notify_server.domain.mail import mail_id
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store, entry_id
from notify_server.storage.erasures import Erasures
from notify_server.storage.journal import Journal
from notify_server.storage.recount import FIELDS, parts_of
from notify_server.storage.subjects import Subjects
from notify_server.storage.tallies import Tallies
from notify_server.storage.updates import Erased, Forgetting, Updates

_ANY_RANK = {"$in": [rank.value for rank in Rank]}  # leads to the index `to_expand`
_ANY_PLACE = {"$in": [place.value for place in Place]}  # leads to the index `by_user`
_MADE = timedelta(minutes=1)  # after which what a profile was made for is written: longer than a lease
_BLANK: Document = {
    "groups": [],
    "muted": {"groups": [], "categories": []},
    "email": None,
    "locale": None,
    "timezone": None,
}
# The update that takes from a notification what it says: to its app, to its reader, by mail, and by a socket.
_UNSAID: Document = {
    "$set": {"message": {"title": None, "body": None, "image": None, "link": None, "data": {}}, "payload": None},
    "$unset": {"texts": "", "mails": "", "attachments": ""},
}


@dataclass(frozen=True, slots=True)
class Sweep:
    """One page of a person's entries: the last of them (None: there are no more), and whether some had to stay."""

    last: ObjectId | None
    stayed: bool


@translated
class Traces:
    """Removes a person. Everything else about them is found by their entries, which therefore go last."""

    def __init__(self, database: Store, erasures: Erasures) -> None:
        self._users = database["users"]
        self._devices = database["devices"]
        self._registry = database["registry"]
        self._notifications = database["notifications"]
        self._batches = database["batches"]
        self._resends = database["resends"]
        self._mails = database["mails"]
        self._contents = database["mail_contents"]
        self._erasures = erasures
        self._updates = Forgetting(database)
        self._told = Updates(database)
        self._client = database.client
        self._subjects = Subjects(database)
        self._tallies = Tallies(database)
        self._journal = Journal(database)

    def present(self, user: str) -> bool:
        """Whether there is anything of `user`, be it their name in an audience that waits; the audit log aside."""
        return (
            self._users.find_one({"_id": user}, {"_id": 1}) is not None
            or self._devices.find_one({"_id.u": user}, {"_id": 1}) is not None
            or self._has_entries(user)
            or self._notifications.find_one(waiting_for(user), {"_id": 1}) is not None
        )

    def remove_person(self, erasure: Erasure) -> None:
        """Remove devices, so that nothing is sent any more, and the profile; and have open sockets ended."""

        def write(session: ClientSession) -> None:
            devices = self._devices.delete_many({"_id.u": erasure.user}, session=session).deleted_count
            profiles = self._users.delete_one({"_id": erasure.user}, session=session).deleted_count
            self._erasures.removed(erasure, {"devices": devices, "profiles": profiles}, session)

        self._transact(write)
        self._told.send(Erased(erasure.pseudonym))

    def remove_echo(self, erasure: Erasure, now: datetime) -> bool:
        """Remove the profile that a notification from before the erasure has made since; one in use stays.

        One that was made just now may be that of a new person, whose entry, device or group is written next: it stays
        for a later sweep. Whether there was none like that.
        """
        user = erasure.user
        if self._has_entries(user) or self._devices.find_one({"_id.u": user}, {"_id": 1}) is not None:
            return True
        echo = {"_id": user} | _BLANK
        self._users.delete_one(echo | {"created_at": {"$lte": now - _MADE}})
        return self._users.find_one(echo, {"_id": 1}) is None

    def unname(self, erasure: Erasure) -> None:
        """Take the name out of audiences that are not expanded: they will not reach them; and out of updates.

        What was for them alone says nothing any more.
        """
        named = waiting_for(erasure.user) | {"created_at": {"$lte": erasure.at}}
        alone = {"users": [erasure.user], "groups": [], "communities": [], "everyone": False}
        self._notifications.update_many(named | {f"audience.{kind}": whom for kind, whom in alone.items()}, _UNSAID)
        self._notifications.update_many(named, _without(erasure.user))
        if erasure.user is not None:
            self._updates.forget(erasure.user)

    def sweep(self, erasure: Erasure, after: ObjectId | None, limit: int, now: datetime) -> Sweep:
        """Remove a page of entries in order of notification, and count them with their notifications.

        What is being expanded or sent at this moment stays for a later sweep, and so does what was accepted after
        the erasure: that is of a new person with the same id.
        """
        conditions: Document = {"_id.u": erasure.user, "inbox": _ANY_PLACE}
        if after is not None:
            conditions["_id.n"] = {"$lt": after}
        found = self._registry.find(conditions, {"_id": 1}).sort("_id.n", -1).limit(limit)
        ids = [document["_id"]["n"] for document in found]
        if not ids:
            return Sweep(None, stayed=False)
        old, free = self._settled(ids, erasure)
        busy = self._withdraw(erasure.user, free, now) if free else set()
        free = [n for n in free if n not in busy]
        if free:
            self._unmark(erasure.user, free)
            self._remove(erasure, free)
        return Sweep(ids[-1] if len(ids) == limit else None, stayed=len(free) < len(old))

    def _settled(self, ids: Sequence[ObjectId], erasure: Erasure) -> tuple[list[ObjectId], list[ObjectId]]:
        """Those notifications of before the erasure, and those of them that are fully expanded."""
        found = {d["_id"]: d for d in self._notifications.find({"_id": {"$in": ids}}, {"created_at": 1, "expanded": 1})}
        old = [n for n in ids if n not in found or found[n]["created_at"] <= erasure.at]
        return old, [n for n in old if n not in found or found[n]["expanded"]]

    def _withdraw(self, user: str | None, ids: Sequence[ObjectId], now: datetime) -> set[ObjectId]:
        """Take the user out of batches. Returns the notifications that somebody is sending to them right now."""
        ours = {"_id.n": {"$in": ids}}
        free: Document = {"$or": [{"owner": None}, {"due_at": {"$lte": now}}]}
        others = {"$ne": ["$$this", {"$literal": user}]}
        users = {"$filter": {"input": "$users", "cond": others}}
        devices = {"$ne": [{"$first": "$$this"}, {"$literal": user}]}
        narrowed = {"$filter": {"input": "$devices", "cond": devices}}
        kept = {"users": users, "devices": {"$cond": [{"$isArray": "$devices"}, narrowed, "$devices"]}}
        self._batches.update_many(ours | {"users": user} | free, [{"$set": kept}])
        self._batches.delete_many(ours | {"users": []} | free)
        entered = {"$or": [{"stage": {"$ne": Stage.ANNOUNCE.value}}, {"sequence": {"$exists": True}}]}
        self._rename(ours | {"_id.k": user, "$and": [free, entered]})
        mentions = {"$or": [{"users": user}, {"_id.k": user}]}
        busy = {document["_id"]["n"] for document in self._batches.find(ours | mentions, {"_id": 1})}
        requested = self._resends.find(ours | {"$or": [{"users": user}, {"cursor": user}]}, {"_id": 1})
        return busy | {document["_id"]["n"] for document in requested}

    def _rename(self, conditions: Document) -> None:
        """Batches of pages that begin after the user carry their id as the place where they begin."""

        def write(session: ClientSession) -> None:
            found = list(self._batches.find(conditions, session=session))
            if found:
                self._batches.delete_many({"_id": {"$in": [batch["_id"] for batch in found]}}, session=session)
                renamed = [batch | {"_id": batch["_id"] | {"k": str(ObjectId())}} for batch in found]
                self._batches.insert_many(renamed, session=session)

        self._transact(write)

    def _unmark(self, user: str | None, ids: Sequence[ObjectId]) -> None:
        """Take the name out of expanded audiences: who was addressed, and where the expansion has ended."""
        these = {"_id": {"$in": ids}}
        self._notifications.update_many(these | {"audience.users": user}, _without(user))
        self._notifications.update_many(these | {"cursor": user, "expanded": True}, {"$set": {"cursor": ""}})

    def _remove(self, erasure: Erasure, ids: Collection[ObjectId]) -> None:
        """The entries go and are counted in one step: a crash counts nobody twice."""
        entries = {"_id": {"$in": [entry_id(n, erasure.user or "") for n in ids]}}

        def write(session: ClientSession) -> None:
            found = list(self._registry.find(entries, dict.fromkeys(FIELDS, 1), session=session))
            counted = [
                UpdateOne({"_id": entry["_id"]["n"]}, {"$inc": {f"erased.{entry['status']}": 1}}) for entry in found
            ]
            if counted:
                self._registry.delete_many(entries, session=session)
                self._notifications.bulk_write(counted, ordered=False, session=session)
                self._notifications.update_many(_of_nobody(ids), _UNSAID, session=session)
                parts = {str(entry["_id"]["n"]): parts_of([entry]) for entry in found}
                chunks = self._tallies.holding(erasure.user or "", list(parts), session)
                self._subjects.keep_erased(parts, chunks, session)
                mails = self._remove_mails(erasure.user or "", ids, session)
                self._unsay(ids, session)
                self._erasures.removed(erasure, {"entries": len(found), "mails": mails}, session)

        with self._journal.changing(map(str, ids)):
            self._transact(write)

    def _remove_mails(self, user: str, ids: Collection[ObjectId], session: ClientSession) -> int:
        """The mails go, and what they said, unless it was said to others as well. Returns how many."""
        theirs = {"_id": {"$in": [mail_id(str(n), user) for n in ids]}}
        said = {mail["content"] for mail in self._mails.find(theirs, {"content": 1}, session=session)} - {None}
        removed = self._mails.delete_many(theirs, session=session).deleted_count
        if said:
            to_others = {"n": {"$in": list(ids)}, "content": {"$in": list(said)}}
            said -= {mail["content"] for mail in self._mails.find(to_others, {"content": 1}, session=session)}
            self._contents.delete_many({"_id": {"$in": list(said)}}, session=session)
        return removed

    def _unsay(self, ids: Collection[ObjectId], session: ClientSession) -> None:
        """What mails of nobody said goes, also in the words of an attempt before: no mail leads to those any more."""
        nobodys = [str(n["_id"]) for n in self._notifications.find(_of_nobody(ids), {"_id": 1}, session=session)]
        if nobodys:
            theirs = [{"_id": {"$gte": n, "$lt": f"{n}g"}} for n in nobodys]  # a content's name: that, and more hex
            self._contents.delete_many({"$or": theirs}, session=session)

    def _has_entries(self, user: str | None) -> bool:
        return self._registry.find_one({"_id.u": user, "inbox": _ANY_PLACE}, {"_id": 1}) is not None

    def _transact(self, write: Any) -> None:
        with self._client.start_session() as session:
            session.with_transaction(write)


def _without(user: str | None) -> Document:
    """The update that takes the name out of an audience, and what was made of it: with that a guess could be tested."""
    return {"$pull": {"audience.users": user}, "$unset": {"idempotency.fingerprint": ""}}


def _of_nobody(ids: Collection[ObjectId]) -> Document:
    """The condition on those of these notifications of which every recipient is erased."""
    counts = {"$map": {"input": {"$objectToArray": {"$ifNull": ["$erased", {}]}}, "in": "$$this.v"}}
    return {"_id": {"$in": list(ids)}, "expanded": True, "$expr": {"$eq": ["$recipients", {"$sum": counts}]}}


def waiting_for(user: str | None) -> Document:
    """The condition on notifications that name `user` and are not expanded."""
    return {"expanded": False, "rank": _ANY_RANK, "audience.users": user}
