"""One WebSocket between its client and Socket.IO's server: bounded both ways, and ended with a reason."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from engineio.packet import MESSAGE, Packet

from notify_server import metrics
from notify_server.gateway import farewell
from notify_server.gateway.intake import Intake
from notify_server.gateway.limits import End, Limits
from notify_server.gateway.throttle import Throttle
from notify_server.services.user_tokens import Proof

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_GRACE = 5.0  # seconds to take the reason and to hang up


class Wire(Protocol):
    """What the ASGI server has to offer besides."""

    def write(self, frame: bytes) -> bool:
        """Write a whole WebSocket frame at once. False where the client takes nothing at the moment, or is leaving."""

    def abort(self) -> None:
        """Drop the connection with all that waits to be written."""


class Connection:
    """Stands between the ASGI server and Socket.IO's server. Only the event loop touches it."""

    __slots__ = (
        "_buffer", "_deadline", "_drained", "_intake", "_receive", "_saying", "_send", "_waiting", "_wire",
        "ended", "put", "user",
    )  # fmt: skip

    def __init__(self, limits: Limits, receive: Receive, send: Send, wire: Wire) -> None:
        self.user: str | None = None
        self.ended: End | None = None
        self.put: Callable[[Packet], bool] = _nowhere  # queues a packet; returns whether it is going to be written
        self._receive, self._send, self._wire = receive, send, wire
        self._buffer = limits.buffer
        self._intake = Intake(Throttle(limits.events))
        self._waiting = 0  # bytes that were handed over and are not written yet
        self._drained: asyncio.Event | None = None
        self._saying: asyncio.Task[None] | None = None
        self._deadline = asyncio.get_running_loop().call_later(limits.connect_within, self.end, End.NOT_CONNECTED)

    def admit(self, proof: Proof) -> None:
        """It has proved to be a socket of a user, for as long as the token lasts."""
        self.user = proof.user
        self._deadline.cancel()
        self._deadline = asyncio.get_running_loop().call_later(proof.lasts, self.end, End.TOKEN_ENDED)

    def queue(self, size: int) -> bool:
        """`size` bytes more are to wait; False where they must not, as the connection ends."""
        if self.ended is None and self._waiting + size > self._buffer:
            self.end(End.TOO_SLOW)
        if self.ended is not None:
            return False
        self._waiting += size
        return True

    def write(self, frame: bytes) -> bool:
        """Write a frame past the queue, where nothing waits in it. False: it has to be queued, or comes too late."""
        return self.ended is None and self._waiting == 0 and self._wire.write(frame)

    @property
    def has_room(self) -> bool:
        """Whether at most half of the buffer is taken, or the connection ends."""
        return self.ended is not None or self._waiting <= self._buffer // 2

    async def room(self) -> None:
        """Return when there is room: for what goes at the client's pace."""
        while not self.has_room:
            self._drained = self._drained or asyncio.Event()
            self._drained.clear()
            await self._drained.wait()

    def tell(self, reason: End, reconnect_in_ms: int) -> None:
        """Emit that the connection is going to be ended."""
        self._put("2" + farewell.notice(reason, reconnect_in_ms))

    def end(self, reason: End) -> None:
        """Close it, with the reason; what waits is dropped, unless it ends unhurried. Who does not hang up is cut."""
        if self.ended is None:
            self.ended = reason
            metrics.SOCKETS_ENDED.labels(reason.value).inc()
            self._release()
            asyncio.get_running_loop().call_later(_GRACE, self._wire.abort)
            self._saying = asyncio.create_task(farewell.say(reason, self._send, lambda: self._waiting <= 0))

    def closed(self) -> None:
        """The WebSocket is gone."""
        self._deadline.cancel()
        self._waiting = 0
        self.put = _nowhere
        self._release()

    # What Socket.IO's server calls in the place of the ASGI server.

    async def receive(self) -> Message:
        """The next message that Socket.IO's server is to see."""
        while True:
            message = await self._receive()
            if message["type"] != "websocket.receive":
                return message
            if self.ended is None and self._passes(message.get("text")):
                return message

    async def send(self, message: Message) -> None:
        """Write a message. Raises OSError when the connection is being ended: nothing more is to be tried."""
        if self.ended is not None and self.ended not in farewell.UNHURRIED:
            raise OSError("ended")
        await self._send(message)
        text = message.get("text")
        if text and text[0] == "4":
            self._waiting -= len(text) - 1
            if self._drained is not None and self._waiting <= self._buffer // 2:
                self._drained.set()

    def _passes(self, text: str | None) -> bool:
        found = self._intake.judge(text)
        if found.end is not None:
            self.end(found.end)
        if found.answer is not None:
            self._put(found.answer)
        return found.passes

    def _put(self, packet: str) -> None:
        self.put(Packet(MESSAGE, packet))

    def _release(self) -> None:
        if self._drained is not None:
            self._drained.set()


def _nowhere(_: Packet) -> bool:
    """Before Socket.IO's server has made its queue, and when the WebSocket is gone."""
    return False
