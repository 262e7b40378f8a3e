"""What a client may send, over real sockets."""

import json
import time
from collections.abc import Callable

import pytest
import websocket

from tests.gateway.serving import Closed, Serving, gone

Serve = Callable[..., Serving]
RECEIPT = ("receipt", {"notification_id": "x", "status": "read"})
NEVER = 0.001  # events a second: what is taken of the burst does not come back while a test runs
TOO_MANY = {"ok": False, "error": "too many events: wait a second"}


def test_events_beyond_the_rate_are_refused_by_their_acknowledgement(serve: Serve) -> None:
    served = serve(event_rate=NEVER, event_burst=4)
    before = served.metric("notify_realtime_events_throttled_total")
    client = served.join("ada")  # the connect is the first
    answers = [client.call(number, *RECEIPT) for number in range(5)]
    assert [answer == TOO_MANY for answer in answers] == [False, False, False, True, True]
    assert served.metric("notify_realtime_events_throttled_total") == before + 2


def test_a_flood_ends_with_its_reason_and_nobody_else_notices(serve: Serve) -> None:
    served = serve(event_rate=NEVER, event_burst=4)
    healthy, flood = served.join("grace"), served.join("ada")
    for _ in range(100):
        flood.send("42" + json.dumps(["noise", "x"]))  # no acknowledgement is asked for
    closing, closed = flood.events()
    assert closing == ["gateway:closing", {"reason": "too many events", "reconnect_in_ms": 30_000}]
    assert (closed.code, closed.reason) == (1008, "too many events")
    gone(served, 1)
    assert healthy.call(1, *RECEIPT)["error"] == "unknown notification"


def test_nobody_joins_a_room_and_events_that_nobody_listens_to_are_ignored(serve: Serve) -> None:
    served = serve()
    client = served.join("ada")
    for event in (
        ["join", "user:grace"],
        ["enter_room", "user:grace"],
        ["connect", {}, {"token": "t"}],
        ["disconnect"],
    ):
        client.send("42" + json.dumps(event))
    client.send('421["subscribe","user:grace"]')
    assert client.call(2, *RECEIPT)["error"] == "unknown notification"  # the first answer: 1 was not answered
    served.emit("grace", {"title": "private"}, {})
    served.emit("ada", {"title": "hers"}, {})
    assert json.loads(client.next()[2:])[1] == {"title": "hers"}


def test_another_namespace_is_refused(serve: Serve) -> None:
    served = serve()
    client = served.join("ada")
    client.send("40/admin," + json.dumps({"token": served.token("ada")}))
    assert client.next() == '44/admin,{"message": "There is no namespace but /."}'
    client.send('42/admin,["receipt",{}]')  # not answered
    assert client.call(1, *RECEIPT)["ok"] is False


@pytest.mark.parametrize("text", ["x", "4x", "42[", "2probe", "42" + "[" * 9000, '451-["x",{"_placeholder":true}]'])
def test_a_malformed_packet_ends_the_connection_and_leaves_no_traceback(
    serve: Serve, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = serve().join("ada")
    client.send(text)
    *_, closed = client.events()
    assert (closed.code, closed.reason) == (1008, "malformed packet")
    assert not [record for record in caplog.records if record.exc_info]


def test_what_is_too_large_is_refused_before_it_is_kept(serve: Serve) -> None:
    client = serve().join("ada")
    client.send('42["receipt","' + "x" * 20_000 + '"]')
    with pytest.raises(Closed) as closed:
        client.next()
    assert closed.value.code == 1009


def test_who_does_not_connect_in_time_is_closed(serve: Serve) -> None:
    served = serve(connect_timeout=0.3)
    silent, refused, healthy = served.open(), served.open(), served.join("ada")
    assert refused.connect("nonsense") != {}
    assert silent.next().startswith("0")
    for client in (silent, refused):
        with pytest.raises(Closed) as closed:
            client.next()
        assert (closed.value.code, closed.value.reason) == (1008, "not connected in time")
    gone(served, 1)
    time.sleep(0.4)
    assert healthy.call(1, *RECEIPT)["ok"] is False  # answered


def test_a_socket_ends_with_its_token_and_a_new_token_opens_another(serve: Serve) -> None:
    served = serve()
    before = served.metric('notify_realtime_disconnected_total{reason="token ended"}')
    healthy, client = served.join("ada"), served.open()
    assert "sid" in client.connect(served.token_about_to_end("ada", 3.0))
    closing, closed = client.events()
    assert closing == ["gateway:closing", {"reason": "token ended", "reconnect_in_ms": 0}]
    assert (closed.code, closed.reason) == (4401, "token ended")
    assert served.metric('notify_realtime_disconnected_total{reason="token ended"}') == before + 1
    client.close()
    gone(served, 1)
    assert healthy.call(1, *RECEIPT)["ok"] is False  # answered
    assert served.join("ada").call(1, *RECEIPT)["ok"] is False


def test_a_newer_token_on_the_same_websocket_counts_from_then_on(serve: Serve) -> None:
    served = serve()
    client = served.open()
    assert "sid" in client.connect(served.token_about_to_end("ada", 3.0))
    client.send("41")
    client.send("40" + json.dumps({"token": served.token("ada")}))
    assert "sid" in client.next()
    time.sleep(3.5)
    assert client.call(1, *RECEIPT)["ok"] is False  # answered


@pytest.mark.parametrize(("opcode", "size"), [(websocket.ABNF.OPCODE_PING, 125), (websocket.ABNF.OPCODE_CONT, 0)])
def test_frames_below_the_events_cannot_take_memory_without_end(serve: Serve, opcode: int, size: int) -> None:
    """Pings whose answers nobody takes, and empty parts of a message that never ends."""
    served = serve()
    client, healthy = served.open(receive_buffer=4096), served.join("grace")
    client.socket.send_frame(websocket.ABNF(0, 0, 0, 0, websocket.ABNF.OPCODE_TEXT, 1, b"4"))
    frames = websocket.ABNF(int(size > 0), 0, 0, 0, opcode, 1, b"x" * size).format() * 1_000_000
    with pytest.raises(ConnectionError):
        client.socket.sock.sendall(frames)
    assert healthy.call(1, *RECEIPT)["ok"] is False  # answered
