"""Who comes in, over real sockets."""

import socket
from collections.abc import Callable

import pytest
import websocket

from tests.gateway.serving import Serving, gone

Serve = Callable[..., Serving]


def test_a_user_has_so_many_sockets_and_a_closed_one_makes_room(serve: Serve) -> None:
    served = serve(user_connections=2)
    clients = [served.join("ada"), served.join("ada"), served.join("grace")]
    refused = served.open()
    assert refused.connect(served.token("ada")) == {
        "message": "too many connections of this user: close one, or try again later",
        "data": {"reason": "too_many_connections", "retry_in_ms": 60_000},
    }
    refused.close()
    clients[0].close()
    gone(served, 2)
    clients[0] = served.join("ada")
    assert served.metric("notify_realtime_connections") == 3
    assert served.metric("notify_realtime_users") == 2
    for client in clients:
        client.close()
    gone(served)
    assert served.metric("notify_realtime_connections") == 0


def test_a_process_has_so_many_sockets(serve: Serve) -> None:
    served = serve(connections=2)
    before = served.metric('notify_realtime_refused_total{reason="process"}')
    clients = [served.join("ada"), served.join("grace")]
    refused = served.open()
    answer = refused.connect(served.token("edsger"))
    assert answer["message"] == "too many connections: try again later"
    assert answer["data"]["retry_in_ms"] > 0
    assert served.metric('notify_realtime_refused_total{reason="process"}') == before + 1
    for client in (*clients, refused):
        client.close()


def test_who_cannot_even_be_told_is_refused_at_the_handshake(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    served = serve(unproved_connections=5)
    before = served.metric('notify_realtime_refused_total{reason="unproved"}')
    clients = [served.open() for _ in range(5)]
    with pytest.raises(websocket.WebSocketBadStatusException) as refusal:
        served.open()
    assert refusal.value.status_code == 503
    assert refusal.value.resp_headers["retry-after"] == "5"
    assert served.metric('notify_realtime_refused_total{reason="unproved"}') == before + 1
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
    for client in clients:
        client.close()


def test_who_has_proved_their_user_takes_no_place_of_those_who_have_not(serve: Serve) -> None:
    served = serve(unproved_connections=2)
    clients = [served.join("ada") for _ in range(5)]
    clients += [served.open(), served.open()]
    with pytest.raises(websocket.WebSocketBadStatusException):
        served.open()
    assert "sid" in clients[5].connect(served.token("grace"))
    clients.append(served.join("edsger"))
    for client in clients:
        client.close()


def test_connecting_again_on_the_same_websocket_counts_once(serve: Serve) -> None:
    served = serve(user_connections=1)
    client = served.join("ada")
    for _ in range(3):
        client.send("41")
        client.send('40{"token":"' + served.token("ada") + '"}')
        assert "sid" in client.next()
    assert served.metric("notify_realtime_connections") == 1


def test_there_are_sockets_at_one_path_alone(serve: Serve) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException) as refusal:
        serve().open("/elsewhere")
    assert refusal.value.status_code == 404


def test_pages_of_other_origins_come_in_unless_origins_are_named(serve: Serve) -> None:
    serve().open(origin="https://anywhere.example").close()
    named = serve(origins=("https://app.example",))
    named.open(origin="https://app.example").close()
    with pytest.raises(websocket.WebSocketBadStatusException):
        named.open(origin="https://anywhere.example")


def test_a_connection_that_asks_for_nothing_is_closed(serve: Serve) -> None:
    served = serve(connect_timeout=0.3)
    for request in (b"", b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\n"):
        with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
            connection.sendall(request)
            assert connection.recv(100) == b""
