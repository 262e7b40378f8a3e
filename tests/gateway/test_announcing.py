"""What of announcing needs no socket; the rest is in tests/processes/test_realtime.py."""

import asyncio
from dataclasses import replace

from notify_server.bootstrap import build_gateway
from notify_server.config import Config
from notify_server.gateway.server import Channels
from notify_server.storage.database import connect
from tests.builders import StoppedClock


def test_it_goes_on_while_the_database_is_away(config: Config) -> None:
    """Nothing answers on port 1."""
    away = connect(replace(config, mongodb_uri="mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50"))

    async def run() -> bool:
        channels = Channels(build_gateway(config, away, StoppedClock()))
        task = asyncio.create_task(channels.announcing.run(0.01))
        await asyncio.sleep(0.5)
        alive = not task.done()
        task.cancel()
        return alive

    assert asyncio.run(run())
    away.client.close()
