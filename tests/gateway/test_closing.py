import json
import time
from collections.abc import Callable

import httpx
import pytest
import websocket

from tests.gateway.serving import Serving, gone

Serve = Callable[..., Serving]


def test_clients_are_told_when_to_come_back_and_go_spread_over_that_time(serve: Serve) -> None:
    served = serve(user_connections=100)
    clients = [served.open() for _ in range(40)]
    for client in clients:
        assert "sid" in client.connect(served.token("ada"))
    served.send_away(5.0)
    waits = []
    for client in clients:
        event, closed = client.events()
        assert (event[0], event[1]["reason"]) == ("gateway:closing", "server stopping")
        assert (closed.code, closed.reason) == (1012, "server stopping")
        waits.append(event[1]["reconnect_in_ms"])
    assert 0 <= min(waits) < 100
    assert 300 < max(waits) <= 400  # 10 ms for each of 40, though 5 s are allowed
    assert len(set(waits)) > 30
    gone(served)


def test_no_new_socket_is_taken_meanwhile(serve: Serve) -> None:
    served = serve()
    served.send_away(0.0)
    with pytest.raises(websocket.WebSocketBadStatusException) as refusal:
        served.open()
    assert refusal.value.status_code == 503
    answer = httpx.get(f"http://127.0.0.1:{served.port}/readyz")
    assert (answer.status_code, json.loads(answer.text)) == (503, {"status": "stopping"})


def test_a_client_that_does_not_hang_up_is_cut(serve: Serve) -> None:
    served = serve()
    client = served.open()
    assert "sid" in client.connect(served.token("ada"))
    served.send_away(0.0)
    began = time.monotonic()
    gone(served)  # though the client has not answered the close
    assert time.monotonic() - began < 9
    client.drop()
