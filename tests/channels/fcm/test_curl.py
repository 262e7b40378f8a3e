"""What the libcurl transport promises beyond the contract: one POST a message, and none too many."""

from contextlib import closing
from pathlib import Path

import firebase_admin.credentials
import pytest

from notify_server.channels.fcm.credential import Credential
from notify_server.channels.fcm.curl import CurlTransport
from notify_server.channels.fcm.transport import open_transport
from notify_server.config import Config
from notify_server.domain.outcome import ACCEPTED, Kind, Outcome
from notify_server.domain.registry import Reason
from tests.channels.fcm.conftest import NOW, Opener, a_notification, send, tokens
from tests.fcm_simulator import SimulatorProcess, free_port

CONNECTION_LOST = Outcome(Kind.RETRY, Reason.CONNECTION_LOST)
CREDENTIAL_REFUSED = Outcome(Kind.RETRY, Reason.CREDENTIAL_REFUSED)
UNAVAILABLE = Outcome(Kind.RETRY, Reason.UNAVAILABLE)


def test_every_burst_on_a_fresh_connection_is_accepted(open_curl: Opener) -> None:
    """Answers that libcurl had read and left behind ended one such burst in a hundred by their timeout."""
    for number in range(60):
        with closing(open_curl(fcm_timeout=9.0)) as transport:
            targets = tokens(*(f"t{n}" for n in range((1, 50, 500)[number % 3])))
            parts = [(transport.encode(a_notification(id=f"n{half}"), NOW), targets) for half in range(2)]
            assert transport.begin(parts).all() == [[ACCEPTED] * len(targets)] * 2


@pytest.mark.parametrize("drop", ["connection", "stream"])
@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
def test_a_post_whose_answer_is_lost_is_not_repeated(
    open_curl: Opener, fcm: SimulatorProcess, fault: str, drop: str
) -> None:
    transport = open_curl()
    encoded = transport.encode(a_notification(), NOW)
    assert send(transport, encoded, tokens("first")) == [ACCEPTED]  # a connection that is then used again
    fcm.behave(**{fault: 1, "drop": drop})
    assert send(transport, encoded, tokens("second")) == [CONNECTION_LOST]
    assert [row["target"] for row in fcm.messages()] == ["first", "second"]
    fcm.behave()
    assert send(transport, encoded, tokens("third")) == [ACCEPTED]


def test_a_503_is_not_repeated(open_curl: Opener, fcm: SimulatorProcess) -> None:
    fcm.behave(unavailable=1)
    transport = open_curl()
    assert send(transport, transport.encode(a_notification(), NOW), tokens("a", "b")) == [UNAVAILABLE] * 2
    assert fcm.counts()["requests"] == 2


def test_what_meets_401_is_sent_once_more_and_then_held_back(open_curl: Opener, fcm: SimulatorProcess) -> None:
    fcm.behave(unauthenticated=1)
    transport = open_curl()
    encoded = transport.encode(a_notification(), NOW)
    assert send(transport, encoded, tokens("a", "b")) == [CREDENTIAL_REFUSED] * 2
    assert fcm.counts()["requests"] == 4
    assert send(transport, encoded, tokens("c")) == [CREDENTIAL_REFUSED]
    assert fcm.counts()["requests"] == 4


def test_a_refused_credential_stops_a_large_send_early(open_curl: Opener, fcm: SimulatorProcess) -> None:
    fcm.behave(unauthenticated=1)
    transport = open_curl(fcm_connections=1)
    outcomes = send(transport, transport.encode(a_notification(), NOW), tokens(*(f"t{n}" for n in range(2000))))
    assert outcomes == [CREDENTIAL_REFUSED] * 2000
    assert fcm.counts()["requests"] <= 400


def test_what_was_accepted_stays_so_when_others_meet_401(open_curl: Opener, fcm: SimulatorProcess) -> None:
    fcm.behave(prefixes={"bad": {"unauthenticated": 1}})
    transport = open_curl()
    encoded = transport.encode(a_notification(), NOW)
    outcomes = send(transport, encoded, tokens("good-1", "bad", "good-2"))
    assert outcomes == [ACCEPTED, CREDENTIAL_REFUSED, ACCEPTED]
    assert len(fcm.messages(target_prefix="good")) == 2
    assert send(transport, encoded, tokens("good-3")) == [ACCEPTED]


def test_nobody_at_the_endpoint_is_a_lost_connection(fcm: SimulatorProcess) -> None:
    config = Config(fcm_endpoint=f"https://127.0.0.1:{free_port()}", fcm_ca_file=str(fcm.ca_file))
    with closing(open_transport(config)) as transport:
        assert send(transport, transport.encode(a_notification(), NOW), tokens("a", "b")) == [CONNECTION_LOST] * 2


def test_an_endpoint_that_nobody_vouches_for_gets_nothing(fcm: SimulatorProcess) -> None:
    source = firebase_admin.credentials.Certificate(str(fcm.credentials_file))
    credential = Credential(str(fcm.ca_file), source)
    with closing(CurlTransport(Config(fcm_endpoint=fcm.url), credential)) as transport:
        assert send(transport, transport.encode(a_notification(), NOW), tokens("a")) == [CONNECTION_LOST]
    assert fcm.counts()["requests"] == 0


def test_a_simulator_that_comes_back_is_found_again(tmp_path: Path) -> None:
    with SimulatorProcess(directory=tmp_path) as first:
        credential = Credential(str(first.ca_file), firebase_admin.credentials.Certificate(str(first.credentials_file)))
        config = Config(fcm_endpoint=first.url, fcm_ca_file=str(first.ca_file))
        with closing(CurlTransport(config, credential)) as transport:
            encoded = transport.encode(a_notification(), NOW)
            assert send(transport, encoded, tokens("a")) == [ACCEPTED]
            first.kill()
            assert send(transport, encoded, tokens("b")) == [CONNECTION_LOST]
            with SimulatorProcess(directory=tmp_path, port=first.port) as second:
                assert send(transport, encoded, tokens("c")) == [ACCEPTED]
                assert [row["target"] for row in second.messages(outcome="accepted")] == ["c"]
