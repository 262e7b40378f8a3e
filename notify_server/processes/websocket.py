"""How uvicorn serves the sockets, and one thing more than it does: to drop one whose client takes nothing any more."""

import logging
from typing import Any

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from notify_server.config import Config
from notify_server.gateway.door import ABORT, Door
from notify_server.gateway.frames import LARGEST

_LOG = logging.getLogger("uvicorn.websockets")  # another than uvicorn's own, which tells of every connection
_GRACE = 8  # seconds for connections at a stop that do not hang up: longer than each is given


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """A close waits until what was written is taken; what the scope's extension holds does not."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.logger = self.conn.logger = _LOG

    async def run_asgi(self) -> None:
        """Called by uvicorn for each WebSocket."""
        self.scope["extensions"][ABORT] = self.transport.abort  # type: ignore[assignment]
        inside = self.app

        async def refusing(*args: Any) -> None:
            await inside(*args)
            if self.initial_response is not None:  # otherwise uvicorn logs each refused handshake as an error
                self.handshake_complete = True

        self.app = refusing
        await super().run_asgi()


def settings(config: Config, door: Door) -> uvicorn.Config:
    """uvicorn's configuration for the sockets behind `door`."""
    return uvicorn.Config(
        door,
        host=config.host,
        port=config.realtime_port,
        log_config=None,
        access_log=False,
        ws=WebSocketProtocol,
        ws_max_size=LARGEST,
        ws_per_message_deflate=False,  # its state would be the most of an idle socket's memory
        ws_ping_interval=None,  # Engine.IO pings by itself
        timeout_graceful_shutdown=_GRACE,
    )
