"""What of the wiring needs no socket; the rest is in tests/processes/test_realtime.py."""

import asyncio

from notify_server.bootstrap import build_gateway
from notify_server.config import Config
from notify_server.gateway.server import Channels
from notify_server.storage.documents import Store


def test_a_receipt_on_a_closed_socket_is_refused(config: Config, database: Store) -> None:
    async def receipt() -> object:
        channels = Channels(build_gateway(config, database), 1.0)
        return await channels._receipt("s1", {"notification_id": "n", "status": "read"})

    assert asyncio.run(receipt()) == {"ok": False, "error": "The socket is closed."}
