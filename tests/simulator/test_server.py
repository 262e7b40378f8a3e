import socket
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from notify_server.errors import ConfigurationError
from notify_server.simulator.server import serve, url
from tests.fcm_simulator import SimulatorProcess


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        ("127.0.0.1", "https://127.0.0.1:1"),
        ("localhost", "https://localhost:1"),
        ("0.0.0.0", "https://localhost:1"),
        ("::", "https://localhost:1"),
        ("::1", "https://[::1]:1"),
    ],
)
def test_the_url_is_one_that_clients_can_use(host: str, wanted: str) -> None:
    assert url(host, 1) == wanted


def test_a_port_in_use_is_refused_even_if_a_simulator_has_it(fcm: SimulatorProcess, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=f"127.0.0.1:{fcm.port}"):
        serve("127.0.0.1", fcm.port, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_sigterm_ends_it_with_0_while_answers_are_stalled() -> None:
    with SimulatorProcess() as fcm:
        token = fcm.access_token()
        fcm.behave(stall_after=1, stall_seconds=600)
        with fcm.new_client() as client, pytest.raises(httpx.ReadTimeout):
            client.post(
                "/v1/projects/demo-notify/messages:send",
                json={"message": {"fid": "f"}},
                headers={"authorization": f"Bearer {token}"},
                timeout=0.2,
            )
        assert fcm.counts()["unanswered"] == 1
        assert fcm.stop() == 0


def test_sigterm_ends_it_while_a_request_never_comes_to_its_end() -> None:
    with SimulatorProcess() as fcm:
        trust = ssl.create_default_context(cafile=str(fcm.ca_file))
        with (
            socket.create_connection(("127.0.0.1", fcm.port)) as plain,
            trust.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
        ):
            connection.sendall(b"POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
            assert fcm.counts()["requests"] == 0
            assert fcm.stop() == 0


def test_it_comes_back_on_its_port_with_its_certificate(tmp_path: Path) -> None:
    with SimulatorProcess(directory=tmp_path) as first:
        certificate = first.ca_file.read_bytes()
        assert first.kill() == -9
    with SimulatorProcess(directory=tmp_path, port=first.port) as second:
        assert second.url == first.url
        assert second.ca_file.read_bytes() == certificate
        assert second.send({"fid": "f"}).is_success


def test_it_is_trusted_by_every_loopback_name_that_it_listens_on(fcm: SimulatorProcess) -> None:
    trust = ssl.create_default_context(cafile=str(fcm.ca_file))
    with httpx.Client(verify=trust) as client:
        assert client.get(f"https://localhost:{fcm.port}/_simulator/counts").is_success


def test_tls_1_2_and_no_older_will_do(fcm: SimulatorProcess) -> None:
    trust = ssl.create_default_context(cafile=str(fcm.ca_file))
    trust.maximum_version = ssl.TLSVersion.TLSv1_2
    with httpx.Client(verify=trust) as client:
        assert client.get(f"{fcm.url}/_simulator/counts").is_success


def test_neither_tokens_nor_targets_nor_messages_are_written_out() -> None:
    with SimulatorProcess() as fcm:
        token = fcm.access_token()
        fcm.behave(unavailable=0.5)
        for number in range(10):
            fcm.send({"fid": f"target-{number}", "data": {"k": "content"}}, token=token)
        fcm.send({"fid": "target-x", "nonsense": "content"}, token=token)
        assert not any(secret in fcm.output for secret in (token, "target-", "content"))
        assert "simulator_started" in fcm.output


def test_the_module_runs_by_itself_and_explains_itself() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "notify_server.simulator", "--help"], capture_output=True, text=True, check=True
    )
    assert {"--host", "--port", "--directory", "--project"} <= set(shown.stdout.split())
