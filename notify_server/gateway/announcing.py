"""From announcements to emits."""

import asyncio

import socketio
import structlog

from notify_server.errors import DatabaseUnavailable
from notify_server.gateway.sockets import Sockets
from notify_server.services.announcement import Announcement, Announcements

log = structlog.get_logger()

ROOM = "user:"


class Announcing:
    """Tells the sockets of this process what is new. `wake` it when something may be."""

    def __init__(self, server: socketio.AsyncServer, sockets: Sockets, announcements: Announcements) -> None:
        self._server = server
        self._sockets = sockets
        self._announcements = announcements
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look at once."""
        self._woken.set()

    async def run(self, poll: float) -> None:
        """Emit what is new at each call, and at least every `poll` seconds, until cancelled."""
        while True:
            try:
                for announcement in await asyncio.to_thread(self._announcements.fresh):
                    await self._announce(announcement)
                async with asyncio.timeout(poll):
                    await self._woken.wait()
            except TimeoutError:
                continue
            except DatabaseUnavailable as error:
                log.warning("database unavailable", problem=str(error))
                await asyncio.sleep(poll)
            finally:
                self._woken.clear()

    async def _announce(self, announcement: Announcement) -> None:
        """Emit a notification to those of its recipients who have a socket here, and note it in the registry."""
        users = frozenset(self._sockets.users)
        items = await asyncio.to_thread(self._announcements.items, announcement, users)
        for user, item in items.items():
            origin = {"id": item["id"], "created_at": item["created_at"], "replayed": False}
            await self._server.emit("notification:new", (item, origin), room=ROOM + user)
        await asyncio.to_thread(self._announcements.emitted, announcement, list(items))
