"""The way in: every WebSocket gets a Connection or is refused, and the rest of HTTP is answered by the probes."""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Set
from typing import Any

import socketio

from notify_server import metrics
from notify_server.gateway.connection import Connection, Message, Receive, Send
from notify_server.gateway.limits import Limits, Refusal, refusal
from notify_server.gateway.outgoing import OPENING
from notify_server.services.user_tokens import Proof

Scope = dict[str, Any]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

PATH = "/socket.io/"
WIRE = "notify.wire"  # among a scope's extensions


class Door:
    """An ASGI application around Socket.IO's. Only the event loop touches it."""

    def __init__(self, inside: Application, probes: Application, limits: Limits) -> None:
        self._inside, self._probes, self._limits = inside, probes, limits
        self._connections = set[Connection]()
        self._users = Counter[str]()
        self._admitted = 0
        self.closed = False

    @property
    def connections(self) -> Set[Connection]:
        """Every WebSocket, with those that have not proved their user yet."""
        return self._connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Called by the ASGI server."""
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        elif scope["type"] == "http":
            await self._probes(scope, receive, send)
        else:
            await self._inside(scope, receive, send)

    def admit(self, connection: Connection, proof: Proof) -> None:
        """Count the connection as one of that user. Raises ConnectionRefusedError of Socket.IO."""
        self._leave(connection)
        if self._admitted >= self._limits.connections:
            raise _refused(Refusal.PROCESS_FULL)
        if self._users[proof.user] >= self._limits.per_user:
            raise _refused(Refusal.USER_FULL)
        connection.admit(proof)
        self._users[proof.user] += 1
        self._admitted += 1
        self._measure()

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != PATH:
            await _answer(send, 404, "There are sockets at /socket.io/ alone.")
        elif self.closed or len(self._connections) - self._admitted >= self._limits.unproved:
            reason = Refusal.STOPPING if self.closed else Refusal.UNPROVED
            metrics.SOCKETS_REFUSED.labels(reason.value).inc()
            await _answer(send, 503, "This server is stopping." if self.closed else "too many connections")
        else:
            await self._serve(scope, Connection(self._limits, receive, send, scope["extensions"][WIRE]))

    async def _serve(self, scope: Scope, connection: Connection) -> None:
        self._connections.add(connection)
        OPENING.set(connection)
        try:
            await self._inside(scope, connection.receive, connection.send)
        finally:
            connection.closed()
            self._connections.discard(connection)
            self._leave(connection)
            self._measure()

    def _leave(self, connection: Connection) -> None:
        if connection.user is not None:
            self._admitted -= 1
            self._users[connection.user] -= 1
            if not self._users[connection.user]:
                del self._users[connection.user]
            connection.user = None

    def _measure(self) -> None:
        metrics.CONNECTIONS.set(self._admitted)
        metrics.USERS.set(len(self._users))


def _refused(reason: Refusal) -> socketio.exceptions.ConnectionRefusedError:
    metrics.SOCKETS_REFUSED.labels(reason.value).inc()
    return socketio.exceptions.ConnectionRefusedError(*refusal(reason))


async def _answer(send: Send, status: int, text: str) -> None:
    """Refuse the handshake with an HTTP answer (the ASGI extension "websocket.http.response")."""
    headers = [(b"content-type", b"application/json"), (b"retry-after", b"5")]
    start: Message = {"type": "websocket.http.response.start", "status": status, "headers": headers}
    await send(start)
    await send({"type": "websocket.http.response.body", "body": json.dumps({"message": text}).encode()})
