"""The last words to a client, and the close of its WebSocket."""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from notify_server.gateway.limits import End

CLOSING = "gateway:closing"
UNHURRIED = {End.STOPPING, End.TOKEN_ENDED}  # nobody is at fault: what waits is written first
_SILENT = {End.STOPPING, End.NOT_CONNECTED}  # told before, or nobody there to be told
_LOOKS, _LOOK = 100, 0.01  # how often, and after how many seconds, it is looked whether all is written


def notice(reason: End, reconnect_in_ms: int) -> str:
    """The arguments of the event that tells a client that it is going to be closed, as JSON."""
    return json.dumps([CLOSING, {"reason": reason.value, "reconnect_in_ms": reconnect_in_ms}])


async def say(
    reason: End, send: Callable[[MutableMapping[str, Any]], Awaitable[None]], written: Callable[[], bool]
) -> None:
    """Tell the client and close, by ASGI's `send`; unhurried, once all that waits is `written`, or after a second."""
    if reason in UNHURRIED:
        await _until(written)
    try:
        if reason not in _SILENT:
            await send({"type": "websocket.send", "text": "42" + notice(reason, reason.reconnect_in_ms)})
        await send({"type": "websocket.close", "code": reason.code, "reason": reason.value})
    except (OSError, RuntimeError):
        return  # it is closed already


async def _until(written: Callable[[], bool]) -> None:
    for _ in range(_LOOKS):
        if written():
            return
        await asyncio.sleep(_LOOK)
