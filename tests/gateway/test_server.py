"""What of the wiring needs no socket; the rest is in tests/processes/test_realtime.py."""

import asyncio
from collections.abc import Callable

import pytest

from notify_server.bootstrap import build_gateway
from notify_server.config import Config
from notify_server.gateway.server import Channels
from notify_server.storage.documents import Store, object_id
from tests.gateway.serving import Serving, gone


def test_a_receipt_on_a_closed_socket_is_refused(config: Config, database: Store) -> None:
    async def receipt() -> object:
        channels = Channels(build_gateway(config, database), 1.0)
        return await channels._receipt("s1", {"notification_id": "n", "status": "read"})

    assert asyncio.run(receipt()) == {"ok": False, "error": "The socket is closed."}


def test_a_socket_whose_replay_fails_is_sent_away_to_come_back(
    serve: Callable[..., Serving], database: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    served = serve()
    seen, broken = served.announce("ada", "one", "two")
    served.caught_up()
    database["notifications"].update_one({"_id": object_id(broken)}, {"$unset": {"created_at": ""}})
    client = served.open()
    assert "sid" in client.connect(served.token("ada"), since=seen)
    *_, closing, closed = client.events()
    assert closing == ["gateway:closing", {"reason": "server error", "reconnect_in_ms": 5000}]
    assert (closed.code, closed.reason) == (1011, "server error")
    assert "a replay failed" in capsys.readouterr().out
    client.close()
    gone(served)
