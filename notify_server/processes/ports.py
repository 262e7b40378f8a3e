"""The ports that `up` listens on: free before anything starts, and answering when everything has."""

import contextlib
import socket
import urllib.request
from collections.abc import Mapping

from notify_server.config import CATCHER_HOST, Config
from notify_server.errors import ConfigurationError


def require_free(config: Config, *, simulator: bool, catcher: bool = False) -> None:
    """Return when every port can be listened on. Raises ConfigurationError, naming the variable of each that cannot."""
    wanted = {"NOTIFY_PORT": config.port, "NOTIFY_REALTIME_PORT": config.realtime_port}
    if simulator:
        wanted["NOTIFY_SIMULATOR_PORT"] = config.simulator_port
    problems = _problems(config.host, wanted)
    if catcher:
        caught = {"NOTIFY_CATCHER_PORT": config.catcher_port, "NOTIFY_CATCHER_SMTP_PORT": config.catcher_smtp_port}
        problems += _problems(CATCHER_HOST, caught)
    if problems:
        raise ConfigurationError(problems)


def _problems(host: str, wanted: Mapping[str, int]) -> list[str]:
    problems = []
    with contextlib.ExitStack() as held:  # all at once, so that two of our own cannot share one
        for name, port in wanted.items():
            try:
                held.enter_context(_listen(host, port))
            except OSError as error:
                problems.append(f"{name}: cannot listen on port {port} of {host}: {error.strerror}.")
    return problems


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def reachable(host: str) -> str:
    """The address by which this machine reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)


def accepts(host: str, port: int) -> bool:
    """Whether somebody listens there."""
    with contextlib.suppress(OSError), socket.create_connection((reachable(host), port), timeout=1):
        return True
    return False


def is_ready(config: Config) -> bool:
    """Whether the web process says that it is ready (GET /readyz)."""
    host = reachable(config.host)
    authority = f"[{host}]" if ":" in host else host
    try:
        with urllib.request.urlopen(f"http://{authority}:{config.port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
