"""The collection `audit`, and accepted notifications as lines of it."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo import WriteConcern

from notify_server.domain.audit import Change, Kind, Line, Party
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, Store, object_id

ACCEPTED = "notifications.accept"
_ERASING = "users.erase"
_ROUTE = "POST /v1/notifications"
_AUDITED = {"created_at": 1, "client": 1, "address": 1}  # what a line shows of a notification


@translated
class Audit:
    """Writes and reads lines. Ids sort by the millisecond in which the change began."""

    def __init__(self, database: Store) -> None:
        self._all = database["audit"]
        self._brief = self._all.with_options(write_concern=WriteConcern(w=1))
        self._notifications = database["notifications"]

    def begin(self, change: Change, now: datetime, kept: timedelta) -> str:
        """Store what is about to be done, durably. Returns the id of the line."""
        line = _line_id(now, secrets.token_bytes(6))
        document = {
            "_id": line,
            "at": now,
            "ends_at": now + kept,
            "actor": _written(change.actor),
            "action": change.action,
            "route": change.route,
            "object": change.object and _written(change.object),
            "fields": list(change.fields),
            "address": change.address,
            "status": None,
        }
        self._all.insert_one(document)
        return str(line)

    def end(self, line: str, status: int, named: Party | None) -> None:
        """Add what came of it, and, where only the answer tells, what it was about."""
        about = {} if named is None else {"object": _written(named)}
        self._brief.update_one({"_id": ObjectId(line)}, {"$set": {"status": status, **about}})

    def page(self, filters: Mapping[str, Any], after: str | None, limit: int) -> list[Line]:
        """At most `limit` lines, newest first, from the one after the line `after`.

        Filters: `actor`, `object` and `action`, each any of some, and `from` and `to` (datetimes).
        """
        lines = [_line(found) for found in self._newest(self._all, _conditions(filters), after, limit)]
        if ACCEPTED in filters.get("action", [ACCEPTED]):
            accepted = self._newest(self._notifications, _on_notifications(filters), after, limit, _AUDITED)
            lines += [_accepted(found) for found in accepted]
        return sorted(lines, key=lambda line: line.id, reverse=True)[:limit]

    def about(self, user: str, after: str | None, limit: int) -> list[Line]:
        """The lines in which `user` is the actor or the object, as `page` has them, but for erasures that are begun."""
        ways = [_named("actor", user), _named("object", user)]
        conditions = {"$or": ways, "$nor": [{"action": _ERASING, "status": None}]}
        return [_line(found) for found in self._newest(self._all, conditions, after, limit)]

    def rename(self, user: str, pseudonym: str) -> int:
        """Let a pseudonym stand for an erased person where others did something. Returns how many lines were changed.

        What they did themselves nobody did any more: each such line stands by itself, without address and object.
        """
        line = {"id": {"$toString": "$_id"}, "pseudonym": {"$literal": True}}
        about = {"$cond": ["$object", {"kind": "$object.kind"} | line, None]}
        own = {"actor": {"kind": Kind.USER.value} | line, "object": about, "address": None}
        count = self._all.update_many(_named("actor", user), [{"$set": own}]).modified_count
        named = _written(Party(Kind.USER, pseudonym, pseudonym=True))
        return count + self._all.update_many(_named("object", user), {"$set": {"object": named}}).modified_count

    def _newest(
        self, collection: Any, conditions: Document, after: str | None, limit: int, fields: Document | None = None
    ) -> list[Document]:
        if after is not None:
            conditions["_id"] = {**conditions.get("_id", {}), "$lt": object_id(after)}
        return list(collection.find(conditions, fields).sort("_id", -1).limit(limit))


def _named(role: str, user: str) -> Document:
    return {f"{role}.kind": Kind.USER.value, f"{role}.id": user}


def _line_id(at: datetime, rest: bytes) -> ObjectId:
    """An ObjectId whose fifth and sixth byte are milliseconds, where the driver has a random value."""
    milliseconds = at.microsecond // 1000
    return ObjectId(int(at.timestamp()).to_bytes(4, "big") + milliseconds.to_bytes(2, "big") + rest)


def _between(filters: Mapping[str, Any], bound: Any) -> Document:
    bounds = {operator: bound(filters[name]) for name, operator in (("from", "$gte"), ("to", "$lt")) if name in filters}
    return {"_id": bounds} if bounds else {}


def _conditions(filters: Mapping[str, Any]) -> Document:
    fields = {"actor": "actor.id", "object": "object.id", "action": "action"}
    named = {field: {"$in": filters[name]} for name, field in fields.items() if name in filters}
    return named | _between(filters, lambda at: _line_id(at, bytes(6)))


def _on_notifications(filters: Mapping[str, Any]) -> Document:
    conditions = _between(filters, ObjectId.from_datetime)
    if "actor" in filters:
        conditions["client"] = {"$in": filters["actor"]}
    if "object" in filters:
        named = [ObjectId(one) for one in filters["object"] if ObjectId.is_valid(one)]
        conditions["_id"] = conditions.get("_id", {}) | {"$in": named}
    return conditions


def _written(party: Party) -> Document:
    return {"kind": party.kind.value, "id": party.id, "pseudonym": party.pseudonym}


def _party(document: Document) -> Party:
    return Party(Kind(document["kind"]), document["id"], document["pseudonym"])


def _line(document: Document) -> Line:
    change = Change(
        actor=_party(document["actor"]),
        action=document["action"],
        route=document["route"],
        object=document["object"] and _party(document["object"]),
        fields=document["fields"],
        address=document["address"],
    )
    return Line(str(document["_id"]), document["at"], change, document["status"])


def _accepted(document: Document) -> Line:
    """A notification as the line of its acceptance."""
    client, address = document.get("client"), document.get("address")
    actor = Party(Kind.CLIENT if address else Kind.COMMAND, client or "")
    about = Party(Kind.NOTIFICATION, str(document["_id"]))
    change = Change(actor, ACCEPTED, _ROUTE if address else None, about, (), address)
    return Line(str(document["_id"]), document["created_at"], change, 202)
