"""Telling a user's other sockets what has changed, whoever changed it and through which process."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from notify_server import metrics
from notify_server.domain.registry import Status
from notify_server.gateway.emitting import Emitting, encoded
from notify_server.gateway.insisting import insist
from notify_server.gateway.limits import End
from notify_server.gateway.sockets import Socket, Sockets
from notify_server.services.inbox import Reading
from notify_server.storage.updates import Update

_DEBOUNCE = 0.1  # seconds in which the changes of one user are counted once
_TOGETHER = 50  # users who are counted before they are told: after a broadcast it may be everybody


class Updating:
    """Emits `notification:updated`, `notification:marked` and `notification:counts`."""

    def __init__(self, inbox: Reading, sockets: Sockets, emitting: Emitting, poll: float) -> None:
        self._inbox = inbox
        self._sockets = sockets
        self._emitting = emitting
        self._poll = poll
        self._thread = ThreadPoolExecutor(1, "counts")
        self._changed: set[str] = set()
        self._woken = asyncio.Event()

    async def hear(self, update: Update) -> None:
        """Tell the user's sockets here, but not the one that made the change; whoever has none here costs nothing."""
        sockets = [socket for socket in self._sockets.of(update.user) if socket.sid != update.origin]
        for name, content in _events(update) if sockets else []:
            self._emit(sockets, name, content)
        if self._sockets.of(update.user):
            self.changed([update.user])

    def changed(self, users: Iterable[str]) -> None:
        """How many notifications these have not read may have changed."""
        self._changed.update(users)
        self._woken.set()

    async def part(self, user: str) -> None:
        """End the sockets of a user who was erased."""
        for socket in self._sockets.of(user):
            self._emitting.end(socket, End.ERASED)

    async def run(self) -> None:
        """Count what is unread for those of whom something changed, until cancelled."""
        while True:
            await self._woken.wait()
            await asyncio.sleep(_DEBOUNCE)
            self._woken.clear()
            users, self._changed = sorted(self._changed), set()
            for start in range(0, len(users), _TOGETHER):
                await self._count(users[start : start + _TOGETHER])

    async def _count(self, users: Sequence[str]) -> None:
        counts = await insist(self._thread, self._inbox.unread_of, users, pause=self._poll)
        for user in users:
            self._emit(self._sockets.of(user), "notification:counts", {"unread": counts.get(user, 0)})

    def _emit(self, sockets: Collection[Socket], event: str, content: dict[str, object]) -> None:
        packet = encoded(event, content)
        sent = sum(self._emitting.send(socket, packet) for socket in sockets)
        metrics.EMITTED.labels(event).inc(sent)


def _events(update: Update) -> list[tuple[str, dict[str, object]]]:
    own = {} if update.is_read is None else {"is_read": update.is_read}
    found: list[tuple[str, dict[str, object]]] = [
        ("notification:updated", {"id": notification, "status": status.value, **own})
        for notification, status in update.statuses.items()
    ]
    if update.marked is not None:
        found.append(("notification:marked", {"status": Status.READ.value, **update.marked}))
    return found
