"""One WebSocket between its client and Socket.IO's server: bounded both ways, and ended with a reason."""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from engineio.packet import MESSAGE, Packet

from notify_server import metrics
from notify_server.gateway.frames import Frame, Kind, read
from notify_server.gateway.limits import End, Limits
from notify_server.gateway.throttle import Throttle, Verdict
from notify_server.services.user_tokens import Proof

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

CLOSING = "gateway:closing"
_LOOKS, _LOOK = 100, 0.01  # how often, and after how many seconds, a stop looks whether all is written
_GRACE = 5.0  # seconds to take the reason and to hang up
_TOO_MANY = json.dumps([{"ok": False, "error": "too many events: wait a second"}])
_UNHURRIED = {End.STOPPING, End.TOKEN_ENDED}  # nobody is at fault: what waits is written first
_NO_NAMESPACE = json.dumps({"message": "There is no namespace but /."})


class Connection:
    """Stands between the ASGI server and Socket.IO's server. Only the event loop touches it."""

    def __init__(self, limits: Limits, receive: Receive, send: Send, abort: Callable[[], None]) -> None:
        """`abort` drops the connection with all that waits to be written."""
        self.user: str | None = None
        self.ended: End | None = None
        self.put: Callable[[Packet], None] = _nowhere
        self._receive, self._send, self._abort = receive, send, abort
        self._buffer = limits.buffer
        self._throttle = Throttle(limits.events)
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
        self._put("2" + _closing(reason, reconnect_in_ms))

    def end(self, reason: End) -> None:
        """Close it, with the reason; what waits is dropped, unless it ends unhurried. Who does not hang up is cut."""
        if self.ended is None:
            self.ended = reason
            metrics.SOCKETS_ENDED.labels(reason.value).inc()
            self._release()
            asyncio.get_running_loop().call_later(_GRACE, self._abort)
            self._saying = asyncio.create_task(self._say(reason))

    def closed(self) -> None:
        """The WebSocket is gone."""
        self._deadline.cancel()
        self._waiting = 0
        self._release()

    # What Socket.IO's server calls in the place of the ASGI server.

    async def receive(self) -> Message:
        """The next message that Socket.IO's server is to see."""
        while True:
            message = await self._receive()
            if message["type"] != "websocket.receive":
                return message
            if self.ended is None and self._passes(read(message.get("text"))):
                return message

    async def send(self, message: Message) -> None:
        """Write a message. Raises OSError when the connection is being ended: nothing more is to be tried."""
        if self.ended is not None and self.ended not in _UNHURRIED:
            raise OSError("ended")
        await self._send(message)
        text = message.get("text")
        if text and text[0] == "4":
            self._waiting -= len(text) - 1
            if self._drained is not None and self._waiting <= self._buffer // 2:
                self._drained.set()

    def _passes(self, frame: Frame) -> bool:
        """Whether Socket.IO's server is to see it; some are answered here."""
        verdict = self._throttle.take()
        if frame.kind is Kind.MALFORMED or verdict is Verdict.END:
            self.end(End.MALFORMED if frame.kind is Kind.MALFORMED else End.TOO_MANY_EVENTS)
            return False
        if verdict is Verdict.REFUSE and frame.kind in {Kind.RECEIPT, Kind.OTHER}:
            metrics.THROTTLED.inc()
            if frame.ack is not None:
                self._put(f"3{frame.ack}{_TOO_MANY}")
            return False
        if frame.namespace != "/":
            if frame.kind is Kind.CONNECT:
                self._put(f"4{frame.namespace},{_NO_NAMESPACE}")
            return False
        return frame.kind is not Kind.OTHER

    def _put(self, packet: str) -> None:
        self.put(Packet(MESSAGE, packet))

    def _release(self) -> None:
        if self._drained is not None:
            self._drained.set()

    async def _flushed(self) -> None:
        """Return when what was queued is written, or after a moment."""
        for _ in range(_LOOKS):
            if self._waiting <= 0:
                return
            await asyncio.sleep(_LOOK)

    async def _say(self, reason: End) -> None:
        if reason in _UNHURRIED:
            await self._flushed()
        try:
            if reason not in {End.STOPPING, End.NOT_CONNECTED}:  # told before, or nobody there to be told
                closing = "42" + _closing(reason, reason.reconnect_in_ms)
                await self._send({"type": "websocket.send", "text": closing})
            await self._send({"type": "websocket.close", "code": reason.code, "reason": reason.value})
        except (OSError, RuntimeError):
            return  # it is closed already


def _closing(reason: End, reconnect_in_ms: int) -> str:
    return json.dumps([CLOSING, {"reason": reason.value, "reconnect_in_ms": reconnect_in_ms}])


def _nowhere(_: Packet) -> None:
    """Before Socket.IO's server has made its queue."""
