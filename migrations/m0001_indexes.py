"""The indexes that the queries of storage/ need, and no others; and the capped collections that processes follow."""

from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.database import Database

from notify_server.domain.erasure import REMEMBERED
from notify_server.storage import signals, updates


def _index(name: str, *keys: str, **options: Any) -> IndexModel:
    """An index over `keys`; a key with a leading minus is descending."""
    directions = [(key.lstrip("-"), DESCENDING if key.startswith("-") else ASCENDING) for key in keys]
    return IndexModel(directions, name=name, **options)


INDEXES = {
    "notifications": [
        _index(
            "by_idempotency",
            "idempotency.client",
            "idempotency.key",
            unique=True,
            partialFilterExpression={"idempotency.key": {"$exists": True}},
        ),
        _index("by_category", "category", "-_id"),
        _index("by_community", "community", "-_id"),
        _index("by_client", "client", "-_id"),
        _index("by_state", "state", "-_id"),
        _index("to_expand", "rank", "due_at", partialFilterExpression={"expanded": False}),
        _index("to_expire", "expires_at", partialFilterExpression={"open": True}),
        _index("to_release", "due_at", partialFilterExpression={"state": "scheduled"}),
        _index("by_schedule", "send_at", partialFilterExpression={"send_at": {"$type": "date"}}),
        _index("to_remove", "retired_at", partialFilterExpression={"retired_at": {"$exists": True}}),
        _index("to_sweep", "unswept", "_id", partialFilterExpression={"unswept": True}),
    ],
    "users": [
        _index("by_group", "groups", "_id"),
        _index("by_community", "community", "_id"),
        _index(
            "by_muted_category",
            "muted.categories",
            partialFilterExpression={"muted.categories.0": {"$exists": True}},
        ),
    ],
    "devices": [
        _index("by_target", "target", unique=True, partialFilterExpression={"active": True}),
        _index("by_user", "_id.u", "active"),
        _index("by_contact", "confirmed_at"),
        _index("by_health", "active", "platform", "reason"),
    ],
    "registry": [
        _index("by_notification", "_id.n", "status", "_id.u"),
        _index("by_user", "_id.u", "inbox", "-_id.n"),
        _index("by_sequence", "_id.u", "sequence", partialFilterExpression={"sequence": {"$exists": True}}),
    ],
    "mails": [
        _index("by_user", "user", "-_id"),
        _index("by_action", "action", "-_id"),
        _index("by_status", "status", "-_id"),
        _index("by_notification", "n", "content"),
        _index("awaiting", "user", partialFilterExpression={"reason": "no_address"}),
        _index("to_expire", "expires_at", partialFilterExpression={"status": "pending"}),
        _index("to_end", "ends_at", expireAfterSeconds=0),
    ],
    "mail_contents": [_index("to_end", "ends_at", expireAfterSeconds=0)],
    "mailers": [_index("alive", "until", expireAfterSeconds=3600)],
    "templates": [_index("by_name", "name", "-version", unique=True)],
    "statistics": [_index("by_period", "_id.g", "_id.k", "_id.c", "_id.p")],
    "sessions": [_index("to_end", "ends_at", expireAfterSeconds=0)],
    "workers": [_index("alive", "until", expireAfterSeconds=3600)],
    "audit": [
        _index("by_actor", "actor.id", "-_id"),
        _index("by_object", "object.id", "-_id"),
        _index("by_action", "action", "-_id"),
        _index("to_end", "ends_at", expireAfterSeconds=0),
    ],
    "erasures": [
        _index("running", "user", partialFilterExpression={"user": {"$type": "string"}}),
        _index("by_time", "at", expireAfterSeconds=int(REMEMBERED.total_seconds())),
    ],
    "resends": [_index("by_notification", "_id.n")],
    "batches": [
        _index("by_due", "_id.c", "stage", "rank", "due_at"),
        _index("by_notification", "_id.n", "stage"),
        _index("by_owner", "owner", partialFilterExpression={"owner": {"$type": "string"}}),
        _index("by_sequence", "sequence", unique=True, partialFilterExpression={"sequence": {"$exists": True}}),
    ],
}


def apply(database: Database[dict[str, Any]]) -> None:
    """Make the indexes; those that are there already stay."""
    for collection, indexes in INDEXES.items():
        database[collection].create_indexes(indexes)
    for name, size in ((signals.COLLECTION, signals.SIZE), (updates.COLLECTION, updates.SIZE)):
        if not database[name].options().get("capped"):
            database.drop_collection(name)  # made by an insert before its time
            database.create_collection(name, capped=True, size=size)
            database[name].insert_one({})  # no cursor can follow an empty capped collection
