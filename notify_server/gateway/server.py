"""Every user's private channel: the wiring of Socket.IO's events. Only the server puts a socket into a room."""

import logging
from typing import Any

import socketio

from notify_server.bootstrap import Gateway
from notify_server.gateway.admission import Admission
from notify_server.gateway.announcing import ROOM, Announcing
from notify_server.gateway.door import Door
from notify_server.gateway.frames import LARGEST
from notify_server.gateway.limits import DEFAULTS, Limits
from notify_server.gateway.outgoing import Server
from notify_server.gateway.probes import Probes
from notify_server.gateway.receipts import Receiving
from notify_server.gateway.sockets import Socket, Sockets

_LOG = logging.getLogger("socketio")  # given, as they would install handlers of their own otherwise


class Channels:
    """The sockets of this process, and what they are told and tell."""

    def __init__(self, gateway: Gateway, limits: Limits = DEFAULTS) -> None:
        self.server = Server(
            async_mode="asgi",
            transports=["websocket"],
            namespaces=["/"],
            cors_allowed_origins="*" if "*" in limits.origins else list(limits.origins),
            max_http_buffer_size=LARGEST,
            logger=_LOG,
            engineio_logger=_LOG,
        )
        self.door = Door(socketio.ASGIApp(self.server), Probes(lambda: self.door.closed), limits)
        self.sockets = Sockets()
        self.announcing = Announcing(self.server, self.sockets, gateway.announcements)
        self._admission = Admission(gateway.user_tokens)
        self._receiving = Receiving(gateway.reception)
        self.server.on("connect", self._connect)
        self.server.on("disconnect", self._disconnect)
        self.server.on("receipt", self._receipt)

    async def _connect(self, sid: str, environ: dict[str, Any], auth: object) -> None:
        user = await self._admission.user(auth)
        self.door.admit(environ, user)
        await self.server.enter_room(sid, ROOM + user)
        self.sockets.add(Socket(sid, user))

    async def _disconnect(self, sid: str, *_: object) -> None:
        self.sockets.remove(sid)

    async def _receipt(self, sid: str, receipt: object = None, *_: object) -> dict[str, Any]:
        socket = self.sockets.find(sid)
        if socket is None:
            return {"ok": False, "error": "The socket is closed."}
        return await self._receiving.receive(socket.user, receipt)
