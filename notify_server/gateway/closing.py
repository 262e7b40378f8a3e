"""The end of a realtime process: its clients go spread over some seconds, so that they do not storm the others."""

import asyncio
from random import Random

from notify_server.gateway.door import Door
from notify_server.gateway.limits import End

_EACH = 0.01  # seconds: with few clients it takes no longer than one after the other


async def send_away(door: Door, spread: float, rng: Random) -> None:
    """Refuse new sockets, tell every client when to reconnect, and close each at that time: all within `spread` s."""
    door.closed = True
    loop = asyncio.get_running_loop()
    spread = min(spread, len(door.connections) * _EACH)
    for connection in list(door.connections):
        wait = rng.uniform(0, spread)
        connection.tell(End.STOPPING, round(wait * 1000))
        loop.call_later(wait, connection.end, End.STOPPING)
    await asyncio.sleep(spread)
