"""A whole installation for benchmarks: a mongod of its own, web and workers as real processes."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
from pymongo.database import Database

from notify_server.bootstrap import build_services
from notify_server.config import Config
from notify_server.storage import migrations
from notify_server.storage.database import connect
from notify_server.storage.embedded import EmbeddedDatabase
from scripts.benchmarks.fcm_peer import FcmPeer

_READY_WITHIN = 30.0  # seconds
_CHUNK = 5000  # documents an insert
_SECRET = "the key of user tokens while a benchmark runs"  # noqa: S105


class Installation:
    """What runs, and how much processor time it has used."""

    def __init__(self, config: Config, mongod: EmbeddedDatabase, database: Database[dict[str, Any]]) -> None:
        self.config = config
        self.database = database
        self.workers: list[psutil.Process] = []
        self.mongod = psutil.Process(mongod.pid)
        self.token = build_services(config, database).server_tokens.create("benchmark", ())

    def client(self) -> httpx.Client:
        """The backend: an HTTP client with a server token."""
        url = f"http://127.0.0.1:{self.config.port}"
        return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {self.token}"}, timeout=60)

    def fill_group(self, group: str, size: int) -> None:
        """Make a group of `size` users with one device each."""
        now = datetime.now(UTC)
        for start in range(0, size, _CHUNK):
            users = [f"{group}-{number:08d}" for number in range(start, min(start + _CHUNK, size))]
            self.database.users.insert_many([_user(user, group, now) for user in users], ordered=False)
            self.database.devices.insert_many([_device(user, now) for user in users], ordered=False)


def cpu_seconds(processes: list[psutil.Process]) -> float:
    """Processor time that the processes have used, in user and system mode."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)


@contextmanager
def installation(peer: FcmPeer, *, web: int = 1, workers: int = 1) -> Iterator[Installation]:
    """Start it in a temporary directory, against `peer` as FCM, and stop it at the end."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="notify-bench-")))
        config = Config(data_dir=directory, port=_free_port(), web_processes=web, jwt_secret=_SECRET)
        mongod = EmbeddedDatabase(config)
        config = replace(config, mongodb_uri=mongod.start())
        stack.callback(mongod.stop)
        database = stack.enter_context(connect(config).client)[config.database]
        migrations.run(database)
        running = Installation(config, mongod, database)
        told = os.environ | _environment(config, peer)
        stack.enter_context(_process("web", told))
        running.workers = [psutil.Process(stack.enter_context(_process("worker", told))) for _ in range(workers)]
        _await_ready(config)
        yield running


def _environment(config: Config, peer: FcmPeer) -> dict[str, str]:
    return {
        "NOTIFY_MONGODB_URI": config.mongodb_uri,
        "NOTIFY_DATA_DIR": str(config.data_dir),
        "NOTIFY_PORT": str(config.port),
        "NOTIFY_WEB_PROCESSES": str(config.web_processes),
        "NOTIFY_JWT_SECRET": config.jwt_secret,
        "NOTIFY_LOG_LEVEL": "warning",
        "NOTIFY_FCM_PROJECT": peer.project,
        "NOTIFY_FCM_ENDPOINT": peer.endpoint,
        "NOTIFY_FCM_CA_FILE": str(peer.ca_file),
        "NOTIFY_FCM_RATE": "1000000",  # as fast as it can: no pace is measured here
        "NOTIFY_FCM_RAMP": "0",
        "GOOGLE_APPLICATION_CREDENTIALS": str(peer.credentials_file),
    }


@contextmanager
def _process(name: str, environment: dict[str, str]) -> Iterator[int]:
    child = subprocess.Popen([sys.executable, "-m", "notify_server.cli", name], env=environment)
    try:
        yield child.pid
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait()


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
    import socket  # noqa: PLC0415

    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _user(user: str, group: str, now: datetime) -> dict[str, Any]:
    empty = {"community": None, "email": None, "locale": None, "timezone": None}
    return {"_id": user, "groups": [group], "muted": {"groups": [], "categories": []}, "created_at": now, **empty}


def _device(user: str, now: datetime) -> dict[str, Any]:
    return {
        "_id": {"u": user, "d": "phone"},
        "target": f"token:{user:x>150}",
        "platform": "android",
        "active": True,
        "reason": None,
        "registered_at": now,
        "confirmed_at": now,
        "app_version": None,
        "locale": None,
    }
