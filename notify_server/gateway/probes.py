"""What the realtime port answers over plain HTTP: whether it is alive, whether it takes sockets, and its metrics."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from prometheus_client import make_asgi_app

from notify_server.gateway.connection import Receive, Send

Scope = dict[str, Any]
_WEBSOCKET_ONLY = 'This server speaks WebSocket only: connect with transports: ["websocket"].'


class Probes:
    """An ASGI application. `closed` says whether sockets are refused, as the process stops."""

    def __init__(self, closed: Callable[[], bool]) -> None:
        self._closed = closed
        # of this process alone, also where all of them gather theirs: web answers for all
        self._metrics: Callable[[Scope, Receive, Send], Awaitable[None]] = make_asgi_app()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Called by the ASGI server for each request."""
        if scope["method"] not in {"GET", "HEAD"}:
            await _answer(send, 405, {"message": "GET only."})
        elif scope["path"] == "/metrics":
            await self._metrics(scope, receive, send)
        else:
            await _answer(send, *self._probe(scope["path"]))

    def _probe(self, path: str) -> tuple[int, dict[str, str]]:
        if path == "/healthz":
            return 200, {"status": "alive"}
        if path == "/readyz":
            return (503, {"status": "stopping"}) if self._closed() else (200, {"status": "ready"})
        if path.startswith("/socket.io"):
            return 400, {"message": _WEBSOCKET_ONLY}
        return 404, {"message": "There is no such thing."}


async def _answer(send: Send, status: int, content: dict[str, str]) -> None:
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
