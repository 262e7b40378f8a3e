"""Clients that do not read, over real sockets."""

import json
import time
from collections.abc import Callable

from tests.gateway.serving import Client, Serving, gone

Serve = Callable[..., Serving]
EVENTS, SIZE = 2000, 20_000  # 40 MB: more than every buffer between the two holds


def flood(served: Serving, beside: Client) -> None:
    """Emit to the user `slow`, and see that `beside`, of the user `healthy`, gets each of its own meanwhile."""
    for number in range(EVENTS):
        served.emit("slow", {"number": number, "text": "x" * SIZE}, {})
        if number % 100 == 0:
            served.emit("healthy", {"number": number}, {})
            assert f'"number":{number}' in beside.next().replace(" ", "")


def test_a_client_that_stops_reading_is_dropped_and_holds_nobody(serve: Serve) -> None:
    served = serve(buffer=512 * 1024)
    before = served.metric('notify_realtime_disconnected_total{reason="too slow"}')
    healthy, slow = served.join("healthy"), served.join("slow", receive_buffer=4096)
    flood(served, healthy)
    assert served.metric('notify_realtime_disconnected_total{reason="too slow"}') == before + 1
    gone(served, 1)  # without the client having read anything
    slow.drop()


def test_one_that_goes_on_reading_finds_all_up_to_a_point_in_order_and_then_the_reason(serve: Serve) -> None:
    served = serve(buffer=512 * 1024)
    healthy, slow = served.join("healthy"), served.join("slow", receive_buffer=4096)
    flood(served, healthy)
    *events, closing, closed = slow.events()
    numbers = [event[1]["number"] for event in events]
    assert numbers == list(range(len(numbers)))
    assert 0 < len(numbers) < EVENTS
    assert closing == ["gateway:closing", {"reason": "too slow", "reconnect_in_ms": 1000}]
    assert (closed.code, closed.reason) == (1013, "too slow")


def test_a_client_that_reads_gets_any_number(serve: Serve) -> None:
    served = serve(buffer=512 * 1024)
    client = served.join("ada")
    for number in range(300):
        served.emit("ada", {"number": number, "text": "x" * SIZE}, {})
        assert f'"number":{number}' in client.next().replace(" ", "")


def test_a_replay_that_is_larger_than_the_buffer_goes_at_the_clients_pace(serve: Serve) -> None:
    served = serve(buffer=256 * 1024)
    [seen] = served.announce("ada", "")
    missed = served.announce("ada", *["x" * 60_000] * 120)  # 7 MB: more than the kernel's buffers take
    served.caught_up()
    client = served.open(receive_buffer=4096)
    assert "sid" in client.connect(served.token("ada"), since=seen)
    time.sleep(0.5)  # it does not read yet, and what it is to get is more than may wait
    assert json.loads(client.next()[2:]) == ["notification:replay", {"count": 120, "cut": False}]
    told = [json.loads(client.next()[2:])[2]["id"] for _ in missed]
    assert sorted(told) == sorted(missed)
    assert len(set(told)) == len(missed)
    [fresh] = served.announce("ada", "live")
    assert json.loads(client.next()[2:])[2] | {"created_at": ""} == {"id": fresh, "created_at": "", "replayed": False}


def test_clients_that_do_not_take_their_replays_keep_nobody_elses_back(serve: Serve) -> None:
    served = serve(buffer=256 * 1024)
    [seen] = served.announce("slow", "")
    served.announce("slow", *["x" * 60_000] * 120)
    [before] = served.announce("ada", "")
    [missed] = served.announce("ada", "missed")
    served.caught_up()
    slow = [served.open(receive_buffer=4096) for _ in range(10)]  # more than are told at once
    for client in slow:
        assert "sid" in client.connect(served.token("slow"), since=seen)
    ada = served.open()
    assert "sid" in ada.connect(served.token("ada"), since=before)
    assert json.loads(ada.next()[2:]) == ["notification:replay", {"count": 1, "cut": False}]
    assert json.loads(ada.next()[2:])[2]["id"] == missed
    for client in slow:
        client.drop()
