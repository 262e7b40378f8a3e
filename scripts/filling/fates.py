"""What becomes of a recipient: the entry, as the engine would have left it some time after."""

from datetime import datetime, timedelta
from random import Random

from bson import ObjectId

from notify_server.domain.inbox import place
from notify_server.domain.registry import Reason, Status
from notify_server.storage.documents import Document, entry_id

# Of a thousand; the rest is read.
_ENDS = {
    Status.SUPPRESSED: (30, Reason.MUTED_CATEGORY),
    Status.FAILED: (45, Reason.UNREGISTERED),
    Status.EXPIRED: (60, Reason.TTL_OVER),
    Status.SENT: (140, None),
    Status.RECEIVED: (270, None),
}
_DRAWN = [(status, reason) for status, (share, reason) in _ENDS.items() for _ in range(share)]
_DRAWN += [(Status.READ, None)] * (1000 - len(_DRAWN))
_HELD = "attempt 1: accepted by 1 of 1 devices"
_MOST = 3 * 86_400.0  # seconds


def entry(rng: Random, key: tuple[ObjectId, str], groups: list[str], category: str, at: datetime) -> Document:
    """The entry of a notification and a user, entered at `at`."""
    status, reason = _DRAWN[int(rng.random() * 1000)]
    hidden = status is Status.SUPPRESSED
    first = status.value if hidden else "pending"
    history = [{"status": first, "at": at, "detail": None}]
    made: Document = {
        "_id": entry_id(*key),
        "status": status.value,
        "reason": reason and reason.value,
        "inbox": place(status).value,
        "groups": groups,
        "category": category,
        "attempts": 0 if hidden else 1,
        "resends": 0,
        "pending_at": at,
        "sent_at": None,
        "received_at": None,
        "read_at": None,
        "history": history,
    }
    if reason is not None:
        if not hidden:
            history.append({"status": status.value, "at": at + timedelta(seconds=2), "detail": reason.value})
        return made
    sent_at = made["sent_at"] = at + timedelta(milliseconds=int(rng.expovariate(1 / 800)))
    history.append({"status": "sent", "at": sent_at, "detail": _HELD})
    if status is not Status.SENT:
        received_at = made["received_at"] = _later(rng, sent_at, 1.2, 1.9)
        history.append({"status": "received", "at": received_at, "detail": "device phone"})
        if status is Status.READ:
            made["read_at"] = _later(rng, received_at, 5.9, 1.8)
            history.append({"status": "read", "at": made["read_at"], "detail": "device phone"})
    return made


def _later(rng: Random, at: datetime, mean: float, spread: float) -> datetime:
    """After a time whose logarithm is spread normally: phones are on, or off for a night."""
    return at + timedelta(milliseconds=int(min(rng.lognormvariate(mean, spread), _MOST) * 1000))
