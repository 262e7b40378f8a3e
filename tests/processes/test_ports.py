import http.server
import socket
import threading
from dataclasses import replace

import pytest

from notify_server.config import Config
from notify_server.errors import ConfigurationError
from notify_server.processes import ports
from tests.processes.free_ports import free_ports


@pytest.fixture
def config():
    web, realtime, simulator = free_ports(3)
    return Config(port=web, realtime_port=realtime, simulator_port=simulator)


def test_free_ports_pass_and_are_free_afterwards(config):
    ports.require_free(config, simulator=True)
    ports.require_free(config, simulator=True)


def test_every_taken_port_is_named_by_its_variable(config):
    with socket.create_server(("127.0.0.1", config.port)), socket.create_server(("127.0.0.1", config.simulator_port)):
        with pytest.raises(ConfigurationError) as caught:
            ports.require_free(config, simulator=True)
        assert [problem.split(":")[0] for problem in caught.value.problems] == ["NOTIFY_PORT", "NOTIFY_SIMULATOR_PORT"]
        assert f"port {config.port} of 127.0.0.1: Address already in use" in caught.value.problems[0]


def test_without_a_simulator_its_port_may_be_taken(config):
    with socket.create_server(("127.0.0.1", config.simulator_port)):
        ports.require_free(config, simulator=False)


def test_the_ports_of_the_catcher_are_named_too(config):
    caught, smtp = free_ports(2)
    config = replace(config, catcher_port=caught, catcher_smtp_port=smtp)
    ports.require_free(config, simulator=False, catcher=True)
    with socket.create_server(("127.0.0.1", smtp)):
        ports.require_free(config, simulator=False)
        with pytest.raises(ConfigurationError, match=f"NOTIFY_CATCHER_SMTP_PORT: cannot listen on port {smtp}"):
            ports.require_free(config, simulator=False, catcher=True)


def test_two_of_our_own_on_one_port_are_refused(config):
    with pytest.raises(ConfigurationError, match="NOTIFY_REALTIME_PORT"):
        ports.require_free(Config(port=config.port, realtime_port=config.port), simulator=False)


def test_a_host_that_is_not_ours_is_refused(config):
    with pytest.raises(ConfigurationError, match=r"of 192\.0\.2\.1"):  # RFC 5737
        ports.require_free(Config(host="192.0.2.1", port=config.port), simulator=False)


def test_a_port_accepts_when_somebody_listens(config):
    assert not ports.accepts("127.0.0.1", config.port)
    with socket.create_server(("127.0.0.1", config.port)):
        assert ports.accepts("0.0.0.0", config.port)


class Readiness(http.server.BaseHTTPRequestHandler):
    """Answers /readyz with the server's status."""

    def do_GET(self) -> None:
        self.send_response(self.server.status if self.path == "/readyz" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_only_a_200_of_readyz_is_ready(config):
    assert not ports.is_ready(config)
    with http.server.HTTPServer(("127.0.0.1", config.port), Readiness) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        server.status = 503
        assert not ports.is_ready(config)
        server.status = 200
        assert ports.is_ready(config)
        server.shutdown()
        serving.join()
