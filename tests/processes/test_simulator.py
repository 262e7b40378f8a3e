import json
import os
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.fcm_simulator import free_port

RUN = "from notify_server import config; from notify_server.processes import simulator; simulator.run(config.load())"


def _answer(process: subprocess.Popen[bytes], port: int, ca_file: Path) -> httpx.Response:
    for _ in range(1000):
        assert process.poll() is None
        try:
            with httpx.Client(verify=ssl.create_default_context(cafile=str(ca_file))) as client:
                return client.get(f"https://127.0.0.1:{port}/_simulator/counts")
        except (OSError, httpx.TransportError):
            time.sleep(0.01)
    raise AssertionError("the simulator does not answer")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_leaves_what_the_server_needs_and_stops_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    port = free_port()
    settings = {
        "NOTIFY_DATA_DIR": str(tmp_path),
        "NOTIFY_SIMULATOR_PORT": str(port),
        "NOTIFY_FCM_PROJECT": "my-project",
    }
    left = tmp_path / "run" / "simulator"
    with subprocess.Popen([sys.executable, "-c", RUN], env={**os.environ, **settings}) as process:
        try:
            assert _answer(process, port, left / "ca.pem").json()["requests"] == 0
        finally:
            process.send_signal(number)
        assert process.wait(20) == 0
    account = json.loads((left / "service-account.json").read_bytes())
    assert account["project_id"] == "my-project"
    assert account["token_uri"] == f"https://127.0.0.1:{port}/token"
    assert (left / "service-account.json").stat().st_mode & 0o777 == 0o600
