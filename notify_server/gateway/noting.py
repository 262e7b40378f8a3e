"""Noting in the registry who was told, behind the telling: no socket waits for it."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from notify_server.domain.notification import Notification
from notify_server.gateway.insisting import insist
from notify_server.services.announcement import Announcements

Emitted = Sequence[tuple[Notification, Sequence[str]]]

_WAITING = 50  # notes; who makes more waits, so that a registry that lags holds up the telling, and nothing is lost
_TOGETHER = 5000  # recipients in one note


class Noting:
    """Writes notes in their order, some together."""

    def __init__(self, announcements: Announcements, poll: float) -> None:
        self._announcements = announcements
        self._poll = poll
        self._thread = ThreadPoolExecutor(1, "noting")
        self._notes: asyncio.Queue[Emitted] = asyncio.Queue(_WAITING)

    async def note(self, emitted: Emitted) -> None:
        """These users were told; waits where too much is not written yet."""
        if emitted:
            await self._notes.put(emitted)

    async def run(self) -> None:
        """Write what comes, until cancelled."""
        while True:
            notes = [await self._notes.get()]
            while not self._notes.empty() and _size(notes) < _TOGETHER:
                notes.append(self._notes.get_nowait())
            together = [each for note in notes for each in note]
            await insist(self._thread, self._announcements.emitted, together, pause=self._poll)
            for _ in notes:
                self._notes.task_done()

    async def finish(self) -> None:
        """Return when everything is written."""
        await self._notes.join()


def _size(notes: Sequence[Emitted]) -> int:
    return sum(len(users) for note in notes for _, users in note)
