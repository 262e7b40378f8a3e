from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pycurl
import pytest

from notify_server.channels.fcm.encoding import encode
from notify_server.channels.fcm.exchange import Exchange
from notify_server.domain.device import Target, TargetType
from notify_server.domain.notification import Message
from notify_server.domain.outcome import ACCEPTED, Kind, Outcome
from notify_server.domain.registry import Reason
from tests.channels.fcm.conftest import NOW, a_notification
from tests.fcm_simulator import SimulatorProcess


@pytest.fixture
def exchange(fcm: SimulatorProcess) -> Iterator[Exchange]:
    made = Exchange(str(fcm.ca_file), 10.0)
    yield made
    made.curl.close()


def send(exchange: Exchange, fcm: SimulatorProcess, value: str, title: str = "T") -> tuple[int, Outcome]:
    body = encode(a_notification(message=Message(title)), NOW).body(Target(TargetType.TOKEN, value))
    exchange.load(f"{fcm.url}/v1/projects/{fcm.project}/messages:send", _headers(fcm), body)
    exchange.curl.perform()
    return exchange.answer()


def _headers(fcm: SimulatorProcess) -> tuple[str, ...]:
    return (f"Authorization: Bearer {fcm.access_token()}",)


def test_one_exchange_serves_one_request_after_another(exchange: Exchange, fcm: SimulatorProcess) -> None:
    fcm.behave(prefixes={"dead": {"unregistered": 1}})
    dead = (404, Outcome(Kind.TARGET_DEAD, Reason.UNREGISTERED))
    assert send(exchange, fcm, "a", "A long title first") == (200, ACCEPTED)
    assert send(exchange, fcm, "dead") == dead
    assert send(exchange, fcm, "b", "Short") == (200, ACCEPTED)
    assert [row["message"]["notification"]["title"] for row in fcm.messages()] == ["A long title first", "T", "Short"]


def test_it_speaks_http_2_and_is_quiet_about_itself(exchange: Exchange, fcm: SimulatorProcess) -> None:
    assert send(exchange, fcm, "a") == (200, ACCEPTED)
    assert exchange.curl.getinfo(pycurl.INFO_HTTP_VERSION) == pycurl.CURL_HTTP_VERSION_2_0


class Late(BaseHTTPRequestHandler):
    """Answers that the quota is exceeded until a time that is over."""

    def do_POST(self) -> None:
        self.send_response(429)
        self.send_header("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_a_retry_after_that_is_over_is_none() -> None:
    with HTTPServer(("127.0.0.1", 0), Late) as server:
        Thread(target=server.handle_request).start()
        exchange = Exchange("", 10.0)
        exchange.load(f"http://127.0.0.1:{server.server_port}/", (), b"{}")
        exchange.curl.perform()
        assert exchange.answer() == (429, Outcome(Kind.RETRY, Reason.QUOTA_EXCEEDED, None))
        exchange.curl.close()


def test_a_retry_after_is_in_the_outcome(exchange: Exchange, fcm: SimulatorProcess) -> None:
    fcm.behave(quota=1, retry_after={"quota": 42})
    assert send(exchange, fcm, "a") == (429, Outcome(Kind.RETRY, Reason.QUOTA_EXCEEDED, 42.0))
