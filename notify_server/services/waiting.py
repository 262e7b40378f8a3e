"""Who of some batches is still to be sent to, after a resend has begun or a lease has changed hands."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from notify_server import failpoints
from notify_server.domain.batch import Batch
from notify_server.domain.registry import Reason, Status
from notify_server.services.load import who
from notify_server.storage.registry import Registry

_Standing = Mapping[tuple[str, str], str | None]


@dataclass(frozen=True, slots=True)
class Waiting:
    """The users of a batch who are still to be sent to; the `parked` among them wait for a device.

    A dead owner of the batch has parked them. It is for the batch of a new device to reach them, and for no other.
    `locales`: see Page.
    """

    users: tuple[str, ...]
    parked: frozenset[str] = frozenset()
    locales: Mapping[str, str] | None = None


def still_waiting(registry: Registry, batches: Sequence[Batch], at: datetime) -> list[Waiting]:
    """The users of each batch whose entry is pending, or sent to an open socket alone, or to some of their devices.

    Where a batch was recalled, the entries that no device has confirmed become pending first.
    """
    _begin_resends(registry, batches, at)
    failpoints.passes("delivery.resends")
    pending = registry.unsent(who((b.key.notification, b.users) for b in batches))
    narrowed = [(batch.key.notification, list(batch.devices)) for batch in batches if batch.devices]
    sent = registry.standing(who(narrowed), [Status.SENT]) if narrowed else {}
    return [_of(batch, pending, sent) for batch in batches]


def _of(batch: Batch, pending: _Standing, sent: _Standing) -> Waiting:
    users = tuple(user for user in batch.users if _waits(batch, user, pending, sent))
    if batch.is_awaited:
        return Waiting(users)
    parked = (user for user in users if pending.get((batch.key.notification, user)) == Reason.NO_DEVICE)
    return Waiting(users, frozenset(parked))


def _waits(batch: Batch, user: str, pending: _Standing, sent: _Standing) -> bool:
    entry = (batch.key.notification, user)
    return entry in pending or (batch.devices is not None and user in batch.devices and entry in sent)


def _begin_resends(registry: Registry, batches: Sequence[Batch], at: datetime) -> None:
    recalled: dict[int, list[tuple[str, Sequence[str]]]] = defaultdict(list)
    for batch in batches:
        if batch.resends:
            recalled[batch.resends].append((batch.key.notification, batch.users))
    for resends, parts in recalled.items():
        registry.resend(who(parts), at, resends)
