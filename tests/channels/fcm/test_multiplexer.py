import threading
from collections.abc import Iterator
from contextlib import closing

import pycurl
import pytest

from notify_server.channels.fcm.exchange import Exchange
from notify_server.channels.fcm.multiplexer import Alarm, Multiplexer
from tests.fcm_simulator import SimulatorProcess, free_port


@pytest.fixture
def alarm() -> Iterator[Alarm]:
    made = Alarm()
    yield made
    made.close()


def finish(multiplexer: Multiplexer) -> dict[pycurl.Curl, str | None]:
    ended: dict[pycurl.Curl, str | None] = {}
    while not ended:
        multiplexer.step(None)
        ended = dict(multiplexer.finished())
    return ended


def test_a_ring_ends_the_sleep_even_when_it_came_before(alarm: Alarm) -> None:
    with closing(Multiplexer(1, alarm)) as multiplexer:
        alarm.ring()
        multiplexer.step(None)
        thread = threading.Thread(target=alarm.ring)
        thread.start()
        multiplexer.step(None)
        thread.join()
        assert list(multiplexer.finished()) == []


def test_rings_that_were_heard_do_not_ring_again(alarm: Alarm) -> None:
    alarm.ring()
    alarm.ring()
    alarm.wait()
    alarm.silence()
    alarm.silence()
    with closing(Multiplexer(1, alarm)) as multiplexer:
        multiplexer.step(0.01)  # would sleep for ever, were the patience not heeded
        assert list(multiplexer.finished()) == []


def test_a_transfer_ends_and_its_handle_serves_again(alarm: Alarm, fcm: SimulatorProcess) -> None:
    exchange = Exchange(str(fcm.ca_file), 10.0)
    with closing(Multiplexer(1, alarm)) as multiplexer:
        for _ in range(2):
            exchange.load(f"{fcm.url}/nowhere", (), b"{}")
            multiplexer.start(exchange.curl)
            assert finish(multiplexer) == {exchange.curl: None}
            assert exchange.answer()[0] == 404
    exchange.curl.close()


def test_a_transfer_without_an_answer_says_why(alarm: Alarm, fcm: SimulatorProcess) -> None:
    exchange = Exchange(str(fcm.ca_file), 10.0)
    with closing(Multiplexer(1, alarm)) as multiplexer:
        exchange.load(f"https://127.0.0.1:{free_port()}/", (), b"{}")
        multiplexer.start(exchange.curl)
        fault = finish(multiplexer)[exchange.curl]
    assert fault is not None
    assert fault.startswith(f"curl {pycurl.E_COULDNT_CONNECT}:")
    exchange.curl.close()
