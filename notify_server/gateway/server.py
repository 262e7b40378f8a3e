"""Every user's private channel: the wiring of Socket.IO's events."""

import asyncio
import logging
from functools import partial
from typing import Any

import socketio
import structlog

from notify_server.bootstrap import Gateway
from notify_server.errors import InvalidInput
from notify_server.gateway.admission import Admission
from notify_server.gateway.announcing import Announcing
from notify_server.gateway.connection import Connection
from notify_server.gateway.door import Door
from notify_server.gateway.emitting import NAMESPACE, Emitting
from notify_server.gateway.frames import LARGEST
from notify_server.gateway.limits import DEFAULTS, End, Limits
from notify_server.gateway.noting import Noting
from notify_server.gateway.outgoing import Server
from notify_server.gateway.probes import Probes
from notify_server.gateway.receipts import Receiving
from notify_server.gateway.replay import Replaying
from notify_server.gateway.sockets import Socket, Sockets
from notify_server.gateway.updates import Updating
from notify_server.services.replay import parsed

log = structlog.get_logger()

_LOG = logging.getLogger("socketio")  # given, as they would install handlers of their own otherwise


class Channels:
    """The sockets of this process, and what they are told and tell. `poll` is in seconds."""

    def __init__(self, gateway: Gateway, poll: float, limits: Limits = DEFAULTS) -> None:
        self.server = Server(
            async_mode="asgi",
            transports=["websocket"],
            namespaces=[NAMESPACE],
            cors_allowed_origins="*" if "*" in limits.origins else list(limits.origins),
            max_http_buffer_size=LARGEST,
            logger=_LOG,
            engineio_logger=_LOG,
        )
        self.door = Door(socketio.ASGIApp(self.server), Probes(lambda: self.door.closed), limits)
        self.sockets = Sockets()
        self._poll = poll
        self._emitting = Emitting(limits.buffer)
        self._noting = Noting(gateway.announcements, poll)
        self.updating = Updating(gateway.inbox, self.sockets, self._emitting, poll)
        self.announcing = Announcing(
            gateway.announcements, self.sockets, self._emitting, self._noting, self.updating.changed
        )
        self._replaying = Replaying(gateway.replays, self._emitting, self._noting, poll)
        self._admission = Admission(gateway.user_tokens)
        self._receiving = Receiving(gateway.reception)
        self._opening: dict[str, asyncio.Task[None]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.server.on("connect", self._connect)
        self.server.on("disconnect", self._disconnect)
        self.server.on("receipt", self._receipt)

    async def start(self) -> None:
        """Begin to announce; before any socket is opened."""
        await self.announcing.begin(self._poll)
        loops = (self.announcing.run(self._poll), self.updating.run(), self._noting.run())
        self._tasks = [asyncio.create_task(loop) for loop in loops]

    async def failed(self) -> None:
        """Return when one of the loops has ended by itself: nothing can be promised to the sockets any more."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            log.error("a loop of the gateway ended", exc_info=None if task.cancelled() else task.exception())

    async def stop(self, within: float) -> None:
        """Note what was told, for as many seconds at most, and end."""
        for task in self._tasks[:1]:
            task.cancel()
        try:
            async with asyncio.timeout(within):
                await self._noting.finish()
        except TimeoutError:
            pass
        for task in [*self._tasks, *self._opening.values()]:
            task.cancel()

    async def _connect(self, sid: str, environ: dict[str, Any], auth: object) -> None:
        proof = await self._admission.proof(auth)
        since = self._since(auth)
        connection = self._connection(sid)
        self.door.admit(connection, proof)
        _forget(environ)
        # From here until the client is told that it is connected nothing else runs: no event overtakes that.
        socket = Socket(sid, connection, proof.user, self.announcing.position)
        self.sockets.add(socket)
        opening = asyncio.create_task(self._replaying.open(socket, since))
        self._opening[sid] = opening
        opening.add_done_callback(partial(self._opened, socket))

    def _opened(self, socket: Socket, opening: asyncio.Task[None]) -> None:
        """A socket that could not be told what it missed would stay silent: it has to come back."""
        self._opening.pop(socket.sid, None)
        if not opening.cancelled() and (error := opening.exception()) is not None:
            log.error("a replay failed", exc_info=error)
            self._emitting.end(socket, End.FAILED)

    def _since(self, auth: object) -> str | None:
        try:
            return parsed(auth.get("since")) if isinstance(auth, dict) else None
        except InvalidInput as error:
            raise socketio.exceptions.ConnectionRefusedError(str(error)) from None

    def _connection(self, sid: str) -> Connection:
        """What carries the socket. Who has hung up meanwhile is refused: nobody would say that they went."""
        connection = self.server.connection(sid)
        if connection is None:
            raise socketio.exceptions.ConnectionRefusedError("The connection is closed.")
        return connection

    async def _disconnect(self, sid: str, *_: object) -> None:
        self.sockets.remove(sid)
        if (opening := self._opening.pop(sid, None)) is not None:
            opening.cancel()

    async def _receipt(self, sid: str, receipt: object = None, *_: object) -> dict[str, Any]:
        socket = self.sockets.find(sid)
        if socket is None:
            return {"ok": False, "error": "The socket is closed."}
        return await self._receiving.receive(socket, receipt)


def _forget(environ: dict[str, Any]) -> None:
    """Nobody needs the request any more; Socket.IO and uvicorn would keep it as long as the connection lasts."""
    if scope := environ.get("asgi.scope"):
        scope.clear()
    environ.clear()
