"""Who of some batches is still to be sent to, after a resend has begun or a lease has changed hands."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from notify_server.domain.batch import Batch
from notify_server.domain.registry import Status
from notify_server.services.load import who
from notify_server.storage.registry import Registry


def still_waiting(registry: Registry, batches: Sequence[Batch], at: datetime) -> list[tuple[str, ...]]:
    """The users of each batch whose entry is pending, or sent where only some of their devices were reached.

    Where a batch was recalled, the entries that no device has confirmed become pending first.
    """
    _begin_resends(registry, batches, at)
    pending = registry.standing(who((b.key.notification, b.users) for b in batches), [Status.PENDING])
    narrowed = [(batch.key.notification, list(batch.devices)) for batch in batches if batch.devices]
    sent = registry.standing(who(narrowed), [Status.SENT]) if narrowed else set()
    return [tuple(user for user in batch.users if _waits(batch, user, pending, sent)) for batch in batches]


def _waits(batch: Batch, user: str, pending: set[tuple[str, str]], sent: set[tuple[str, str]]) -> bool:
    entry = (batch.key.notification, user)
    return entry in pending or (batch.devices is not None and user in batch.devices and entry in sent)


def _begin_resends(registry: Registry, batches: Sequence[Batch], at: datetime) -> None:
    recalled: dict[int, list[tuple[str, Sequence[str]]]] = defaultdict(list)
    for batch in batches:
        if batch.resends:
            recalled[batch.resends].append((batch.key.notification, batch.users))
    for resends, parts in recalled.items():
        registry.resend(who(parts), at, resends)
