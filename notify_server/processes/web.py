"""The web process: gunicorn with threads. Everything that holds a connection is made after the fork."""

import os
import signal
import sys
from types import FrameType
from typing import Any

import structlog
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.http.errors import ParseException

from notify_server import logs, metrics
from notify_server.api import problems
from notify_server.api.app import create_app
from notify_server.bootstrap import Services, build_services
from notify_server.config import Config
from notify_server.console import app as console
from notify_server.console import problems as pages
from notify_server.console.mount import Mounted
from notify_server.processes.collector import spare_the_collector
from notify_server.processes.readiness import await_database
from notify_server.processes.signals import until_stopped
from notify_server.processes.web_worker import Patience, Worker
from notify_server.storage.database import connect

log = structlog.get_logger()

_TURN = 0.001  # seconds that a thread may compute while others wait: with Python's 5 ms, answers of MongoDB lie waiting
_GRACE = 20  # seconds for running requests at a stop
_KEEP_ALIVE = 30  # seconds until the next request on a connection
_TIMEOUT = 60  # seconds until a stuck worker is replaced


class PassingLogger(Logger):  # type: ignore[misc] # gunicorn ships no types
    """gunicorn's log lines in our format: they go to the root logger."""

    def setup(self, cfg: Any) -> None:
        """Called by gunicorn instead of installing handlers of its own."""
        self.error_log.propagate = True
        self.access_log.propagate = True


class Web(BaseApplication):  # type: ignore[misc] # gunicorn ships no types
    """gunicorn, configured by our Config alone."""

    def __init__(self, config: Config) -> None:
        self._config = config
        super().__init__()

    @property
    def patience(self) -> Patience:
        """What the worker asks of clients."""
        return Patience(self._config.header_timeout, self._config.body_timeout, self._config.max_body)

    def load_config(self) -> None:
        """Called by gunicorn: hand over the settings."""
        for name, value in _settings(self._config).items():
            self.cfg.set(name, value)

    def load(self) -> Flask | Mounted:
        """Called by gunicorn in each worker, after the fork."""
        logs.configure(self._config.log_level, self._config.log_format, "web")
        sys.setswitchinterval(_TURN)
        services = build_services(self._config, connect(self._config))
        api = create_app(self._config, services)
        api.register_error_handler(ParseException, problems.malformed)  # met while the body is read
        app = api if not self._config.console else Mounted(api, self._console(services))
        spare_the_collector()
        return app

    def _console(self, services: Services) -> Flask:
        made = console.create_app(self._config, services)
        made.register_error_handler(ParseException, pages.malformed)
        return made


def _settings(config: Config) -> dict[str, Any]:
    return {
        "bind": f"{config.host}:{config.port}",
        "workers": config.web_processes,
        "worker_class": Worker,
        "threads": config.web_threads,
        "timeout": _TIMEOUT,
        "graceful_timeout": _GRACE,
        "keepalive": _KEEP_ALIVE,
        "backlog": 1024,
        "worker_connections": config.web_connections,
        "sendfile": False,  # it waits for the client
        "limit_request_line": 8190,
        "proc_name": "notify-server",
        "when_ready": _stop_by_signals,
        "child_exit": _child_exit,
        "control_socket_disable": True,
        "logger_class": PassingLogger,
    }


def _stop_by_signals(arbiter: Any) -> None:
    """The first SIGTERM or SIGINT drains, a second one kills; gunicorn alone would drain at SIGTERM only."""
    stopping = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        if stopping:
            arbiter.kill_workers(signal.SIGKILL)
            os._exit(128 + number)
        stopping = True
        arbiter.signal(signal.SIGTERM, frame)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)


def _child_exit(_: object, worker: Any) -> None:
    metrics.forget(worker.pid)


def run(config: Config) -> int:
    """Serve until a signal; returns the exit code. Raises NotAReplicaSet, which no waiting mends."""
    stopped = until_stopped()
    database = await_database(config, stopped)
    if database is None:
        return 0
    database.client.close()
    if not config.takes_user_tokens:
        log.warning("user tokens are not configured", missing="NOTIFY_JWT_SECRET or NOTIFY_JWT_JWKS_URL")
    try:
        Web(config).run()
    except SystemExit as end:
        return int(end.code or 0)
    return 0
