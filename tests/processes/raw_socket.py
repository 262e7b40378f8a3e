"""A client of the gateway that costs next to nothing, so that a test may have thousands: its protocols by hand.

What a real client does is in tests/processes/realtime.py; this one shares no code with the server's library.
"""

import json
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect

_NEW = '42["notification:new"'


class Refused(Exception):
    """The server let the socket not in; its reason."""


class RawSocket:
    """One open socket: `async with RawSocket(port, {"token": …, "since": …}) as socket`."""

    def __init__(self, port: int, auth: dict[str, Any]) -> None:
        self._url = f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"
        self._auth = auth
        self._connection: ClientConnection

    async def __aenter__(self) -> Self:
        self._connection = await connect(self._url, compression=None, ping_interval=None, max_size=None)
        try:
            await self._connection.recv()  # Engine.IO is open
            await self._connection.send("40" + json.dumps(self._auth))
            answer = str(await self._connection.recv())
            if not answer.startswith("40"):
                raise Refused(answer)
        except BaseException:
            self.cut()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.cut()

    async def received(self) -> AsyncIterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Each new notification: what is told, and its origin. Raises ConnectionClosed."""
        while True:
            text = str(await self._connection.recv())
            if text == "2":
                await self._connection.send("3")
            elif text.startswith(_NEW):
                _, content, origin = json.loads(text[2:])
                yield content, origin

    def cut(self) -> None:
        """End the connection as a tunnel does: without a word."""
        self._connection.transport.abort()
