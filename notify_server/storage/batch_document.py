"""How a batch is written down."""

from notify_server.domain.batch import Batch, BatchKey, Rank, Stage
from notify_server.domain.notification import Channel
from notify_server.storage.documents import Document, object_id

_PLAIN = ("due_at", "resends", "attempt", "owner", "calls")


def key_document(key: BatchKey) -> Document:
    """The `_id` of a batch; the order of its fields is part of it."""
    return {"n": object_id(key.notification), "c": key.channel.value, "k": key.page, "p": key.part}


def to_document(batch: Batch) -> Document:
    """The document of `batch`."""
    return {
        "_id": key_document(batch.key),
        "stage": batch.stage.value,
        "rank": batch.rank.value,
        "users": list(batch.users),
        "devices": None if batch.devices is None else [[user, list(ids)] for user, ids in batch.devices.items()],
        **{name: getattr(batch, name) for name in _PLAIN},
        **({} if batch.sequence is None else {"sequence": batch.sequence}),
    }


def from_document(document: Document) -> Batch:
    """The batch that `to_document` wrote."""
    key, devices = document["_id"], document["devices"]
    return Batch(
        key=BatchKey(str(key["n"]), Channel(key["c"]), key["k"], key["p"]),
        users=tuple(document["users"]),
        rank=Rank(document["rank"]),
        stage=Stage(document["stage"]),
        devices=None if devices is None else {user: tuple(ids) for user, ids in devices},
        sequence=document.get("sequence"),
        **{name: document[name] for name in _PLAIN},
    )
