"""A realtime process for tests, and clients of it."""

import os
import signal
import subprocess
import sys
import time
from queue import Empty, Queue
from types import TracebackType
from typing import Any, Self

import socketio

from notify_server.config import Config
from tests.fcm_simulator import free_port

SECRET = "a secret of the tests, long enough for HS256"
_WITHIN = 20.0  # seconds


class RealtimeProcess:
    """`notify-server realtime` on a free port, or a given one, against the database of `config`."""

    def __init__(self, config: Config, port: int | None = None) -> None:
        self.port = port or free_port()
        told = {
            "NOTIFY_MONGODB_URI": config.mongodb_uri,
            "NOTIFY_DATABASE": config.database,
            "NOTIFY_DATA_DIR": str(config.data_dir),
            "NOTIFY_REALTIME_PORT": str(self.port),
            "NOTIFY_JWT_SECRET": SECRET,
        }
        self._log = config.data_dir / "realtime.log"
        with self._log.open("wb") as output:
            command = [sys.executable, "-m", "notify_server.cli", "realtime"]
            self._process = subprocess.Popen(command, env=os.environ | told, stdout=output, stderr=subprocess.STDOUT)
        until = time.monotonic() + _WITHIN
        while "Uvicorn running" not in self.output:
            assert time.monotonic() < until, self.output
            time.sleep(0.02)

    @property
    def output(self) -> str:
        return self._log.read_text()

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(_WITHIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._process.poll() is None:
            self.stop()


class App:
    """An open app of one user: what it was told is in `received`."""

    def __init__(self, realtime: RealtimeProcess, auth: object) -> None:
        self.received: Queue[tuple[Any, Any]] = Queue()
        self.changes: Queue[tuple[str, Any]] = Queue()  # other events, by name
        self._client = socketio.Client(reconnection=False)
        self._client.on("notification:new", lambda payload, origin: self.received.put((payload, origin)))
        for event in ("updated", "marked", "counts", "replay"):
            self._client.on(f"notification:{event}", lambda told, event=event: self.changes.put((event, told)))
        refusals: list[Any] = []
        self._client.on("connect_error", refusals.append)
        url = f"http://127.0.0.1:{realtime.port}"
        try:
            self._client.connect(url, auth=auth, transports=["websocket"], wait_timeout=10)
        except socketio.exceptions.ConnectionError:
            raise socketio.exceptions.ConnectionError(*refusals) from None  # the client keeps the reason to itself

    def call(self, event: str, data: object) -> Any:
        """Emit, and wait for the acknowledgement."""
        return self._client.call(event, data, timeout=10)

    def silent(self, seconds: float) -> bool:
        """Whether nothing comes for so long."""
        try:
            self.received.get(timeout=seconds)
        except Empty:
            return True
        return False

    def close(self) -> None:
        self._client.disconnect()
        self._client.shutdown()
