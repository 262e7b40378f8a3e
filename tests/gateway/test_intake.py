"""By a clock of the test's own: what a busy machine takes is no matter here."""

import json

import pytest

from notify_server.domain.rate import Rate
from notify_server.gateway.intake import Intake, Judgement
from notify_server.gateway.limits import End
from notify_server.gateway.throttle import Throttle

RECEIPT = '427["receipt",{"notification_id":"x","status":"read"}]'
TOO_MANY = [{"ok": False, "error": "too many events: wait a second"}]
PASSES, DROPPED = Judgement(passes=True), Judgement()


class Client:
    """What one client sends is judged at a time that stands still until it is moved."""

    def __init__(self, burst: int = 100) -> None:
        self.now = 100.0
        self._intake = Intake(Throttle(Rate(5.0, burst), lambda: self.now))

    def send(self, text: str | None) -> Judgement:
        return self._intake.judge(text)


@pytest.mark.parametrize("text", ["3", "1", "40", '40{"token":"t"}', "41", RECEIPT, '42["receipt"]'])
def test_what_socket_io_is_to_see_passes(text: str) -> None:
    assert Client().send(text) == PASSES


@pytest.mark.parametrize("text", ['42["join","user:grace"]', '421["connect",{}]', '430["ok"]', '42/admin,["receipt"]'])
def test_what_nobody_listens_to_is_dropped(text: str) -> None:
    assert Client().send(text) == DROPPED


def test_another_namespace_is_refused() -> None:
    assert Client().send('40/admin,{"token":"t"}').answer == '4/admin,{"message": "There is no namespace but /."}'


@pytest.mark.parametrize("text", [None, "", "x", "42["])
def test_what_is_no_packet_ends_the_connection(text: str | None) -> None:
    assert Client().send(text) == Judgement(end=End.MALFORMED)


def test_events_beyond_the_rate_are_refused_by_their_acknowledgement_and_later_ones_taken() -> None:
    client = Client(burst=4)
    assert [client.send(RECEIPT) for _ in range(4)] == [PASSES] * 4
    refused = client.send(RECEIPT)
    assert (refused.passes, refused.end) == (False, None)
    assert (refused.answer or "").startswith("37[")
    assert json.loads((refused.answer or "")[2:]) == TOO_MANY
    assert client.send('42["receipt",{}]') == DROPPED  # no acknowledgement is asked for
    client.now += 0.2
    assert client.send(RECEIPT) == PASSES


def test_what_keeps_the_connection_is_never_refused_until_it_is_a_flood() -> None:
    client = Client(burst=4)
    assert [client.send("3") for _ in range(20)] == [PASSES] * 20
    assert client.send("3") == Judgement(end=End.TOO_MANY_EVENTS)
