"""What of emitting needs no client; the rest is in tests/processes/test_realtime.py."""

import asyncio
import json
from typing import Any

from notify_server.gateway.emitting import Emitting, encoded, new
from notify_server.gateway.sockets import Held, Socket
from notify_server.services.told import Told
from tests.builders import a_notification
from tests.gateway.harness import Line

BUFFER = 75  # characters
NEWS = a_notification()
LINE: Any = Line(takes_most=0)  # what is sent to it goes nowhere


def run(sequences: list[int], after: int = 0) -> Socket:
    """A socket that is still behind, after these announcements."""
    emitting, socket = Emitting(BUFFER), Socket("s", LINE, "ada", after)
    for sequence in sequences:
        assert not emitting.announce(socket, Held(sequence, encoded("e", sequence), NEWS))
    return socket


def test_what_is_announced_to_a_socket_that_is_behind_is_held_in_order() -> None:
    assert [each.sequence for each in run([3, 4, 5], after=3).held or ()] == [4, 5]


def test_no_more_is_held_than_may_wait_for_a_client() -> None:
    socket = run(list(range(1, 100)))
    assert len(socket.held or ()) == BUFFER // len('2["e",1]')
    assert socket.holds <= BUFFER


def test_a_socket_that_goes_live_holds_nothing_more() -> None:
    socket = run([1, 2])
    assert asyncio.run(Emitting(BUFFER).go_live(socket)) == []  # as it has gone
    assert socket.held is None
    assert socket.holds == 0


def test_a_packet_is_one_text_for_all() -> None:
    packet = new(Told({"é": 1}, {"id": "n"}))
    text = packet.encode()
    assert text.startswith('42["notification:new",')
    assert json.loads(text[2:]) == ["notification:new", {"é": 1}, {"id": "n"}]
    assert packet.encode() is text
