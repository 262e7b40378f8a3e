"""How uvicorn serves the sockets, with less memory for each, and two things more than it does.

It writes a frame that is ready, and drops a connection whose client takes nothing any more: both at once.
"""

import asyncio
import logging
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.protocol import State

from notify_server.config import Config
from notify_server.gateway.door import WIRE, Door
from notify_server.gateway.frames import LARGEST
from notify_server.gateway.mailbox import Mailbox

_LOG = logging.getLogger("uvicorn.websockets")  # another than uvicorn's own, which tells of every connection
_UNTAKEN = 256 * 1024  # bytes: more than the largest event and what uvicorn lets wait beside it
_PARTS = 64  # of one message
_GRACE = 8  # seconds for connections at a stop that do not hang up: longer than each is given


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """It is what its scope's extension holds: a Wire."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.logger = self.conn.logger = _LOG
        self.queue = Mailbox()  # type: ignore[assignment] # uvicorn puts, gets and asks whether it is empty

    def start_keepalive(self) -> None:
        """Called by uvicorn when the handshake is done: nobody needs it any more."""
        super().start_keepalive()
        self.request.headers.clear()  # its parser keeps the request itself
        self.response.headers.clear()

    def write(self, frame: bytes) -> bool:
        """Write a whole frame at once. False where the client takes nothing at the moment, or is leaving."""
        if not self.writable.is_set() or self.conn.state is not State.OPEN or self.transport.is_closing():
            return False
        self.transport.write(frame)
        return True

    def abort(self) -> None:
        """Drop the connection: uvicorn's close waits until what was written is taken."""
        self.transport.abort()

    def handle_ping(self) -> None:
        """Called by uvicorn for each ping, which it would answer also where nobody takes the answers."""
        if self.transport.get_write_buffer_size() > _UNTAKEN:
            self.transport.abort()
        else:
            super().handle_ping()

    def handle_cont(self, event: Frame) -> None:
        """Called by uvicorn for each part of a message: empty ones have no size that could be limited."""
        if len(self.frames) < _PARTS:
            super().handle_cont(event)
        else:
            self.transport.abort()

    async def run_asgi(self) -> None:
        """Called by uvicorn for each WebSocket."""
        self.scope["extensions"][WIRE] = self  # type: ignore[assignment]
        inside = self.app

        async def refusing(*args: Any) -> None:
            await inside(*args)
            if self.initial_response is not None:  # otherwise uvicorn logs each refused handshake as an error
                self.handshake_complete = True

        self.app = refusing
        await super().run_asgi()


def hurried(within: float) -> type[HttpToolsProtocol]:
    """uvicorn's HTTP, where a connection has `within` seconds to become a WebSocket: probes and scrapes take less.

    uvicorn itself waits for a request for as long as it takes.
    """

    class Hurried(HttpToolsProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self.late = self.loop.call_later(within, transport.close)

        def connection_lost(self, exc: Exception | None) -> None:
            self.late.cancel()
            super().connection_lost(exc)

        def handle_websocket_upgrade(self) -> None:
            self.late.cancel()
            super().handle_websocket_upgrade()
            self.parser = None  # type: ignore[assignment] # or the two would hold each other until they are collected

    return Hurried


def settings(config: Config, door: Door) -> uvicorn.Config:
    """uvicorn's configuration for the sockets behind `door`."""
    return uvicorn.Config(
        door,
        host=config.host,
        port=config.realtime_port,
        log_config=None,
        access_log=False,
        proxy_headers=False,  # nobody asks for the client's address
        http=hurried(config.realtime_connect_timeout),
        ws=WebSocketProtocol,
        ws_max_size=LARGEST,
        ws_per_message_deflate=False,  # its state would be the most of an idle socket's memory
        ws_ping_interval=None,  # Engine.IO pings by itself
        timeout_graceful_shutdown=_GRACE,
    )
