"""A socket that opens is told what it has missed, and then goes live: no gap and no repeat at the seam.

It is among the sockets from the first moment, behind the position that the announcing loop then has. What is announced
up to there is read from the database, what is announced after that is held until all of this is told.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from notify_server import metrics
from notify_server.domain.notification import Notification
from notify_server.gateway.emitting import Emitting, encoded, new
from notify_server.gateway.insisting import insist
from notify_server.gateway.noting import Noting
from notify_server.gateway.sockets import Socket
from notify_server.services.replay import Missed, Replays
from notify_server.services.told import Told

_THREADS = 4
_AT_ONCE = 8  # replays: of a crowd that comes back, each is soon live, and few hold what they have read


class Replaying:
    """Opens sockets."""

    def __init__(self, replays: Replays, emitting: Emitting, noting: Noting, poll: float) -> None:
        self._replays = replays
        self._emitting = emitting
        self._noting = noting
        self._poll = poll
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._threads = ThreadPoolExecutor(_THREADS, "replays")

    async def open(self, socket: Socket, since: str | None) -> None:
        """Tell `socket` what it has missed since that notification, and let it go live."""
        if since is not None:
            async with self._turns:
                await self._replay(socket, since)
        await self._note(socket, await self._emitting.go_live(socket))

    async def _replay(self, socket: Socket, since: str) -> None:
        missed = await insist(self._threads, self._replays.missed, socket.user, since, socket.after, pause=self._poll)
        self._skip(socket, missed)
        await self._tell(socket, missed)

    def _skip(self, socket: Socket, missed: Missed) -> None:
        """Where it has seen more than this process has announced: another one was ahead."""
        socket.after = max(socket.after, missed.after)

    async def _tell(self, socket: Socket, missed: Missed) -> None:
        metrics.REPLAYED.observe(len(missed.entries))
        summary = {"count": len(missed.entries), "cut": missed.cut}
        self._emitting.send(socket, encoded("notification:replay", summary))
        for part in missed.parts:
            found = await insist(self._threads, self._replays.read, part, pause=self._poll)
            told = [notification for notification, content in found if await self._give(socket, content)]
            await self._note(socket, told)
            if len(told) < len(found):
                return  # the connection has ended: the rest is for the next one

    async def _give(self, socket: Socket, told: Told) -> bool:
        if not self._emitting.has_room(socket):
            await self._wait(socket)
        return self._emitting.send(socket, new(told))

    async def _wait(self, socket: Socket) -> None:
        """Let others have the turn while the client is slow."""
        self._turns.release()
        try:
            await self._emitting.keep_pace(socket)
        finally:
            await self._turns.acquire()

    async def _note(self, socket: Socket, told: Sequence[Notification]) -> None:
        metrics.EMITTED.labels("notification:new").inc(len(told))
        await self._noting.note([(notification, [socket.user]) for notification in told])
