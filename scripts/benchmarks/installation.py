"""A whole installation for benchmarks: a mongod of its own, web and workers as real processes."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psutil
from pymongo.database import Database

from notify_server.bootstrap import build_services
from notify_server.config import Config
from notify_server.storage import migrations
from notify_server.storage.database import connect
from notify_server.storage.documents import Document
from notify_server.storage.embedded import EmbeddedDatabase
from scripts.benchmarks.fcm_peer import FcmPeer

_READY_WITHIN = 30.0  # seconds
_UNPACED = {"NOTIFY_FCM_RATE": "1000000", "NOTIFY_FCM_RAMP": "0", "NOTIFY_MAIL_RATE": "1000000"}
_SECRET = "the key of user tokens while a benchmark runs"  # noqa: S105


class Installation:
    """What runs. `start` adds processes; all are stopped when the installation is left."""

    def __init__(
        self,
        config: Config,
        mongod: EmbeddedDatabase,
        database: Database[Document],
        environment: Mapping[str, str],
        log: Path | None,
    ) -> None:
        self.config = config
        self.database = database
        self.mongod = psutil.Process(mongod.pid)
        services = build_services(config, database)
        self.token = services.server_tokens.create("benchmark", ())
        self._user_tokens = services.user_tokens
        self.processes: dict[str, list[psutil.Process]] = defaultdict(list)  # by their command
        self._environment = environment
        self._log = log
        self._children: list[subprocess.Popen[bytes]] = []

    @property
    def workers(self) -> list[psutil.Process]:
        """The worker processes."""
        return self.processes["worker"]

    @property
    def web(self) -> list[psutil.Process]:
        """gunicorn's arbiter and the processes that serve."""
        (arbiter,) = self.processes["web"]
        return [arbiter, *arbiter.children()]

    def start(self, command: str) -> None:
        """Start one more process of `command`."""
        told = os.environ | self._environment
        arguments = [sys.executable, "-m", "notify_server.cli", command]
        with nullcontext() if self._log is None else self._log.open("ab") as log:
            child = subprocess.Popen(arguments, env=told, stdout=log, stderr=log)
        self._children.append(child)
        self.processes[command].append(psutil.Process(child.pid))

    def stop(self) -> None:
        """Stop every process, and wait."""
        for child in self._children:
            child.send_signal(signal.SIGTERM)
        for child in self._children:
            child.wait()

    def client(self) -> httpx.Client:
        """The backend: an HTTP client with a server token."""
        url = f"http://127.0.0.1:{self.config.port}"
        return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {self.token}"}, timeout=60)

    def user_token(self, user: str) -> str:
        """A token of one user."""
        return self._user_tokens.mint(user)[0]

    def await_realtime(self) -> None:
        """Wait until the gateway takes connections."""
        until = time.monotonic() + _READY_WITHIN
        while time.monotonic() < until:
            try:
                with socket.create_connection(("127.0.0.1", self.config.realtime_port)):
                    return
            except OSError:
                time.sleep(0.1)
        raise TimeoutError("the gateway did not become ready")

    def post(self, backend: httpx.Client, payload: Mapping[str, Any]) -> str:
        """Hand a notification over; its id."""
        return str(backend.post("/v1/notifications", json=payload).raise_for_status().json()["id"])


def cpu_seconds(processes: list[psutil.Process]) -> float:
    """Processor time that the processes have used, in user and system mode."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)


@contextmanager
def installation(  # noqa: PLR0913 - by name alone
    peer: FcmPeer,
    *,
    web: int = 1,
    workers: int = 1,
    paced: bool = False,
    catching: bool = False,
    log: Path | None = None,
) -> Iterator[Installation]:
    """Start it in a temporary directory, against `peer` as FCM, and stop it at the end.

    Unless `paced`, the workers send as fast as they can. With `catching`, mails go to a mail catcher. What the
    processes log goes to `log`, or where ours goes.
    """
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="notify-bench-")))
        config = Config(
            data_dir=directory,
            port=_free_port(),
            realtime_port=_free_port(),
            mail_catcher=catching,
            catcher_port=_free_port(),
            catcher_smtp_port=_free_port(),
            web_processes=web,
            jwt_secret=_SECRET,
        )
        mongod = EmbeddedDatabase(config)
        config = replace(config, mongodb_uri=mongod.start())
        stack.callback(mongod.stop)
        database = stack.enter_context(connect(config).client)[config.database]
        migrations.run(database)
        told = _environment(config, peer) | ({} if paced else _UNPACED)
        running = Installation(config, mongod, database, told, log)
        stack.callback(running.stop)
        for command in [*["catcher"] * catching, "web", *["worker"] * workers]:
            running.start(command)
        _await_ready(config)
        yield running


def _environment(config: Config, peer: FcmPeer) -> dict[str, str]:
    return {
        "NOTIFY_MONGODB_URI": config.mongodb_uri,
        "NOTIFY_DATA_DIR": str(config.data_dir),
        "NOTIFY_PORT": str(config.port),
        "NOTIFY_REALTIME_PORT": str(config.realtime_port),
        "NOTIFY_MAIL_CATCHER": str(config.mail_catcher),
        "NOTIFY_CATCHER_PORT": str(config.catcher_port),
        "NOTIFY_CATCHER_SMTP_PORT": str(config.catcher_smtp_port),
        "NOTIFY_WEB_PROCESSES": str(config.web_processes),
        "NOTIFY_JWT_SECRET": config.jwt_secret,
        "NOTIFY_LOG_LEVEL": "warning",
        "NOTIFY_RATE_SERVER": "1000000",  # counted as always, but a benchmark has few callers, who call without pause
        "NOTIFY_RATE_USER": "1000000",
        "NOTIFY_FCM_PROJECT": peer.project,
        "NOTIFY_FCM_ENDPOINT": peer.endpoint,
        "NOTIFY_FCM_CA_FILE": str(peer.ca_file),
        "GOOGLE_APPLICATION_CREDENTIALS": str(peer.credentials_file),
    }


def _await_ready(config: Config) -> None:
    until = time.monotonic() + _READY_WITHIN
    while time.monotonic() < until:
        try:
            if httpx.get(f"http://127.0.0.1:{config.port}/readyz").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise TimeoutError("the web process did not become ready")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
