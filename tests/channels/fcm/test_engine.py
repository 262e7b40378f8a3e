import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from notify_server.channels.fcm.call import Call
from notify_server.channels.fcm.encoding import EncodedMessage, encode
from notify_server.channels.fcm.engine import Engine
from notify_server.domain.device import Target
from notify_server.domain.outcome import ACCEPTED, Kind, Outcome
from notify_server.domain.registry import Reason
from tests.channels.fcm.conftest import NOW, a_notification, tokens
from tests.channels.fcm.http2_peer import Http2Peer
from tests.fcm_simulator import SimulatorProcess

LOST = Outcome(Kind.RETRY, Reason.CONNECTION_LOST)


@pytest.fixture
def engine(fcm: SimulatorProcess) -> Iterator[Engine]:
    made = Engine(connections=1, timeout=1.0, ca_file=str(fcm.ca_file))
    yield made
    made.close()


def a_call(fcm: SimulatorProcess, *targets: str, encoded: Any = None) -> Call:
    url = f"{fcm.url}/v1/projects/{fcm.project}/messages:send"
    headers = (f"Authorization: Bearer {fcm.access_token()}",)
    return Call(url, headers, encoded or encode(a_notification(), NOW), tokens(*targets))


def run(engine: Engine, call: Call) -> list[Outcome]:
    engine.submit(call)
    call.wait()
    return call.outcomes


def test_something_unexpected_costs_the_calls_in_hand_and_not_the_thread(engine: Engine, fcm: SimulatorProcess) -> None:
    fcm.behave(prefixes={"slow": {"stall_before": 1, "stall_seconds": 60}})
    waiting = a_call(fcm, "slow")
    engine.submit(waiting)
    with capture_logs() as logs:
        assert run(engine, a_call(fcm, "a", "b", encoded=EncodedMessage(None))) == [LOST, LOST]  # type: ignore[arg-type]
        waiting.wait()
        assert waiting.outcomes == [LOST]
        assert run(engine, a_call(fcm, "c")) == [ACCEPTED]
    assert [entry["event"] for entry in logs] == ["fcm_engine_failed"]


def test_a_small_call_does_not_wait_for_a_big_one(engine: Engine, fcm: SimulatorProcess) -> None:
    fcm.behave(latency={"min": 0.02, "max": 0.02})
    big, small = a_call(fcm, *(f"big-{n}" for n in range(1000))), a_call(fcm, "small")
    engine.submit(big)
    assert run(engine, small) == [ACCEPTED]
    assert big.unsent > 0
    big.wait()
    assert big.outcomes == [ACCEPTED] * 1000


def test_a_stalled_request_ends_at_its_timeout_and_spares_the_others(engine: Engine, fcm: SimulatorProcess) -> None:
    fcm.behave(prefixes={"slow": {"stall_before": 1, "stall_seconds": 60}})
    assert run(engine, a_call(fcm, "slow", "quick")) == [LOST, ACCEPTED]
    assert run(engine, a_call(fcm, "next")) == [ACCEPTED]


def test_no_more_than_100_streams_share_a_connection(engine: Engine, fcm: SimulatorProcess) -> None:
    fcm.behave(latency={"min": 0.01, "max": 0.02})
    assert run(engine, a_call(fcm, *(f"t{n}" for n in range(450)))) == [ACCEPTED] * 450
    assert fcm.counts()["by_outcome"] == {"accepted": 450}


def test_a_close_waits_for_no_more_than_one_request(engine: Engine, fcm: SimulatorProcess) -> None:
    fcm.behave(stall_before=1, stall_seconds=60)
    call = a_call(fcm, *(f"t{n}" for n in range(5000)))
    engine.submit(call)
    engine.close()
    call.wait()
    assert call.outcomes == [LOST] * 5000
    assert "fcm-engine" not in {thread.name for thread in threading.enumerate()}


def test_a_closed_engine_abandons_what_it_is_given(engine: Engine, fcm: SimulatorProcess) -> None:
    engine.close()
    engine.close()
    assert run(engine, a_call(fcm, "a")) == [LOST]
    assert fcm.counts()["requests"] == 0


def test_a_peer_that_never_shakes_hands_is_given_up(tmp_path: Path) -> None:
    with Http2Peer(tmp_path) as peer, closing(Engine(connections=1, timeout=0.5, ca_file=peer.ca_file)) as engine:
        assert run(engine, call_to(peer, tokens(*(f"t{n}" for n in range(60))))) == [LOST] * 60


def test_a_peer_that_goes_away_costs_only_what_it_did_not_answer(tmp_path: Path) -> None:
    targets = tokens(*(f"t{n}" for n in range(60)))
    with (
        Http2Peer(tmp_path) as peer,
        ThreadPoolExecutor() as threads,
        closing(Engine(connections=1, timeout=5.0, ca_file=peer.ca_file)) as engine,
    ):
        threads.submit(answer, peer, 60, 10)
        outcomes = run(engine, call_to(peer, targets))
        assert outcomes == [ACCEPTED] * 10 + [LOST] * 50
        threads.submit(answer, peer, 50, 50)
        assert run(engine, call_to(peer, targets[10:])) == [ACCEPTED] * 50


def call_to(peer: Http2Peer, targets: list[Target]) -> Call:
    return Call(peer.url, (), encode(a_notification(), NOW), targets)


def answer(peer: Http2Peer, asked: int, answered: int) -> None:
    """Take so many requests on a new connection, answer so many of them, and go away when the client does."""
    session = peer.accept()
    streams = session.requests(asked)
    for stream in streams[:answered]:
        session.answer(stream)
    session.go_away(last=streams[answered - 1])
    session.wait_for_the_end()
