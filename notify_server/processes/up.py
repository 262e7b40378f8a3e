"""`notify-server up`: the whole service on one machine, in the foreground."""

import importlib.util
from dataclasses import replace

import structlog

from notify_server.config import Config
from notify_server.errors import ConfigurationError
from notify_server.processes import defaults, leftovers
from notify_server.processes.data_lock import alone
from notify_server.processes.interrupts import Interrupts, Stopped
from notify_server.processes.stack import NotKept, Stack, WhenReady

log = structlog.get_logger()


def run(config: Config, when_ready: WhenReady | None = None, *, once: bool = False) -> int:
    """Start everything; when it is ready, call `when_ready` with the completed configuration; then stay, unless `once`.

    Returns 0 after a signal, 1 after a second one or when a process could not be kept; with `once`, what
    `when_ready` returned.
    Raises ConfigurationError when a port is taken, another `up` runs on this data directory or an extra is missing,
    and DatabaseError when the database cannot be used.
    """
    _require_extras(config)
    config = replace(config, data_dir=config.data_dir.resolve())
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    interrupts = Interrupts(kill=lambda: leftovers.kill(config.data_dir))
    with alone(config.data_dir), interrupts.handled():
        try:
            return Stack(config, interrupts).run(when_ready, once=once)
        except Stopped:
            return int(interrupts.killed)
        except NotKept as failure:
            log.error("stopped", problem=str(failure))
            return 1


def _require_extras(config: Config) -> None:
    needed = ["supervisor", *(["granian"] if defaults.uses_simulator(config) else [])]
    needed += ["aiosmtpd"] if defaults.uses_catcher(config) else []
    if missing := [name for name in needed if importlib.util.find_spec(name) is None]:
        raise ConfigurationError([f"{' and '.join(missing)} missing: pip install 'notify-server[embedded,simulator]'"])
