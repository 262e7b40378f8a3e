"""`notify-server web` as a process of its own."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from tests.processes.free_ports import free_ports

SECRET = "a-secret-of-the-tests-that-is-long-enough"


class WebServer:
    """Started on a free port; `environment` is put on top of what the tests need."""

    def __init__(self, directory: Path, uri: str, database: str, **environment: str) -> None:
        [self.port] = free_ports(1)
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("NOTIFY_", "PROMETHEUS_"))
        }
        wanted = {
            "NOTIFY_MONGODB_URI": uri,
            "NOTIFY_DATABASE": database,
            "NOTIFY_PORT": str(self.port),
            "NOTIFY_WEB_PROCESSES": "1",
            "NOTIFY_JWT_SECRET": SECRET,
        }
        self._log = directory / "web.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "notify_server.cli", "web"],
                env=inherited | wanted | environment,
                stdout=log,
                stderr=log,
                process_group=0,
            )

    def await_ready(self) -> None:
        """Return when it answers that it is ready."""
        while True:
            assert self.process.poll() is None, self._log.read_text()
            with contextlib.suppress(OSError):
                status, _ = self.call("GET", "/readyz")
                assert status == 200
                return
            time.sleep(0.05)

    def await_log(self, event: str) -> None:
        """Return when it has logged `event`."""
        while not any(event in line["event"] for line in self.log()):
            assert self.process.poll() is None, self._log.read_text()
            time.sleep(0.05)

    def log(self) -> list[dict[str, Any]]:
        """Every line that it has written, each of which is one JSON object."""
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    def call(self, method: str, path: str, token: str = "", body: Any = None) -> tuple[int, Any]:
        """One request on a connection of its own; returns status and body, which is read as JSON if it says so."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        payload = body if isinstance(body, bytes | None) else json.dumps(body)
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, payload, headers)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if "json" in answer.headers["Content-Type"] else text.decode()

    @contextlib.contextmanager
    def connected(self) -> Iterator[socket.socket]:
        """A bare connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            yield connection

    def listens(self) -> bool:
        """Whether it takes new connections."""
        with contextlib.suppress(ConnectionRefusedError), self.connected():
            return True
        return False

    def workers(self) -> list[psutil.Process]:
        """Its worker processes."""
        return psutil.Process(self.process.pid).children()

    def signal(self, number: signal.Signals) -> None:
        """As a terminal does it: to everyone in its process group."""
        os.killpg(self.process.pid, number)

    def stop(self) -> None:
        """Whatever a failed test leaves behind."""
        with self.process, contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def received(connection: socket.socket) -> tuple[int, dict[str, Any]]:
    """The next answer on a bare connection: status and JSON body."""
    answer = http.client.HTTPResponse(connection)
    with contextlib.closing(answer):
        answer.begin()
        return answer.status, json.loads(answer.read())
