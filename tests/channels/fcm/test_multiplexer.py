import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pycurl
import pytest

from notify_server.channels.fcm.exchange import Exchange
from notify_server.channels.fcm.multiplexer import Alarm, Multiplexer
from notify_server.simulator import certificates
from tests.channels.fcm.http2_peer import Http2Peer, Http2Session
from tests.fcm_simulator import SimulatorProcess, free_port


@pytest.fixture
def alarm() -> Iterator[Alarm]:
    made = Alarm()
    yield made
    made.close()


def finish(multiplexer: Multiplexer, count: int = 1) -> dict[pycurl.Curl, str | None]:
    ended: dict[pycurl.Curl, str | None] = {}
    while len(ended) < count:
        multiplexer.step(None)
        ended.update(multiplexer.finished())
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


def test_an_answer_that_was_read_with_another_transfers_is_not_left_behind(alarm: Alarm, tmp_path: Path) -> None:
    """Both answers come between the turns of the two transfers: the second reads both, and ends with its own."""
    first, second = Exchange(ca_file := str(certificates.ensure(tmp_path).ca), 5.0), Exchange(ca_file, 5.0)
    with Http2Peer(tmp_path) as peer, ThreadPoolExecutor() as threads, closing(Multiplexer(1, alarm)) as multiplexer:
        for exchange in (first, second):
            exchange.load(peer.url, (), b"{}")
            multiplexer.start(exchange.curl)
        serving = threads.submit(session_with_two_requests, peer)
        while not serving.done():
            multiplexer.step(0.01)
        session = serving.result()
        for _ in range(5):
            multiplexer.step(0.01)  # until it has read what the server had to say of itself

        unanswered = [1, 3]

        def between_the_turns(*_progress: int) -> None:
            while unanswered:
                session.answer(unanswered.pop())

        first.curl.setopt(pycurl.XFERINFOFUNCTION, between_the_turns)
        first.curl.setopt(pycurl.NOPROGRESS, 0)
        session.ping()
        ended = list(finish(multiplexer, 2).items())
        session.close()
    assert ended == [(second.curl, None), (first.curl, None)]
    first.curl.close()
    second.curl.close()


def session_with_two_requests(peer: Http2Peer) -> Http2Session:
    session = peer.accept()
    assert session.requests(2) == [1, 3]
    return session
