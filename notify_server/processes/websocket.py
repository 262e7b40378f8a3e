"""uvicorn's WebSockets, for one thing more: to drop a connection whose client takes nothing any more."""

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from notify_server.gateway.door import ABORT


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """A close waits until what was written is taken; what the scope's extension holds does not."""

    async def run_asgi(self) -> None:
        """Called by uvicorn for each WebSocket."""
        self.scope["extensions"][ABORT] = self.transport.abort  # type: ignore[assignment]
        await super().run_asgi()
