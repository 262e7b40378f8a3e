"""Everything that `up` runs, from the first process started to the last one stopped."""

import os
import resource
import sys
import time
from collections.abc import Callable

import structlog

from notify_server import metrics
from notify_server.config import Config
from notify_server.processes import defaults, leftovers, ports
from notify_server.processes.interrupts import Interrupts
from notify_server.processes.programs import Program
from notify_server.processes.supervision import Supervisor
from notify_server.storage import migrations
from notify_server.storage.database import connect, require_replica_set
from notify_server.storage.embedded import STOP_WITHIN, EmbeddedDatabase

log = structlog.get_logger()

WhenReady = Callable[[Config], int]

READY_WITHIN = 120.0  # seconds, for the processes other than the database
LEFTOVERS_WITHIN = 90.0  # seconds: as long as an orderly stop of everything may take
_PAUSE = 0.1  # seconds between two looks while starting
_WATCH = 1.0  # seconds between two looks afterwards
_OPEN_FILES = 65_536  # realtime holds one for every socket


class NotKept(Exception):
    """A process that could not be started, or not be kept."""


class Stack:
    """The database, what stands in for FCM and mail services, and the four processes, under one supervisor."""

    def __init__(self, config: Config, interrupts: Interrupts) -> None:
        """`config` is the one from the environment. Ends leftovers, and looks at the ports, before anything is made."""
        leftovers.stop(config.data_dir, LEFTOVERS_WITHIN)
        self._simulator = defaults.uses_simulator(config)
        catcher = defaults.uses_catcher(config)
        ports.require_free(config, simulator=self._simulator, catcher=catcher)
        config.run_dir.mkdir(exist_ok=True)
        defaults.clear_metrics(config)
        self._interrupts = interrupts
        self._embedded = None if config.mongodb_uri else EmbeddedDatabase(config)
        before = [_database(self._embedded)] if self._embedded else []
        self._config = defaults.complete(config, self._embedded.uri if self._embedded else config.mongodb_uri)
        self._programs = [*before, *_processes(self._config, simulator=self._simulator, catcher=catcher)]
        told = defaults.environment(self._config, simulator=self._simulator) | leftovers.mark(config.data_dir)
        self._supervisor = Supervisor(self._programs, config.run_dir, os.environ | told)

    def run(self, when_ready: WhenReady | None, *, once: bool) -> int:
        """Start, call `when_ready`, stay unless `once`, and stop, as `up.run` says. Raises NotKept."""
        _raise_open_files()
        try:
            with self._supervisor.running(sys.stderr.buffer):
                try:
                    self._start()
                    status = when_ready(self._config) if when_ready else 0
                    if not once:
                        self._watch()
                    return status
                finally:
                    self._interrupts.stopping()
                    if self._embedded:
                        self._embedded.withdraw()
        finally:
            leftovers.stop(self._config.data_dir, LEFTOVERS_WITHIN)  # there are some if supervisord itself was killed

    def _start(self) -> None:
        if self._simulator:
            self._supervisor.launch("simulator")
        if self._embedded:
            self._supervisor.launch("mongod")
            self._embedded.await_ready(lambda: self._supervisor.alive and not self._down("mongod"))
        database = connect(self._config, read_within=None)
        with database.client:
            require_replica_set(database)
            migrations.run(database)
        self._await(self._simulator_is_ready)  # its CA file is there from now on
        for program in self._programs:
            if program.name not in ("mongod", "simulator"):
                self._supervisor.launch(program.name)
        self._await(self._is_ready)
        log.info("ready", url=f"http://{ports.reachable(self._config.host)}:{self._config.port}")

    def _await(self, condition: Callable[[], bool]) -> None:
        until = time.monotonic() + READY_WITHIN
        while not condition():
            if down := self._down():
                raise NotKept(f"{', '.join(down)} ended while starting: what it said stands above")
            if not self._supervisor.alive or time.monotonic() > until:
                raise NotKept(f"not ready after {READY_WITHIN:.0f} seconds")
            time.sleep(_PAUSE)

    def _simulator_is_ready(self) -> bool:
        return not self._simulator or ports.accepts(self._config.host, self._config.simulator_port)

    def _is_ready(self) -> bool:
        return ports.is_ready(self._config) and ports.accepts(self._config.host, self._config.realtime_port)

    def _down(self, program: str | None = None) -> list[str]:
        return [state.name for state in self._supervisor.states() if state.down and program in (None, state.program)]

    def _watch(self) -> None:
        """Tell of every restart, until a signal or until a process cannot be kept."""
        known = {state.name: state.pid for state in self._supervisor.states()}
        while self._supervisor.alive:
            time.sleep(_WATCH)
            for state in self._supervisor.states():
                if state.state == "FATAL":
                    raise NotKept(f"{state.name} ends again and again: what it said stands above")
                if state.pid and state.pid != known[state.name]:
                    log.warning("process restarted", name=state.name, pid=state.pid)
                    metrics.forget(known[state.name])
                    known[state.name] = state.pid
        raise NotKept("supervisord itself has ended")


def _database(embedded: EmbeddedDatabase) -> Program:
    return Program("mongod", embedded.prepare(), stop_within=int(STOP_WITHIN), quiet=True)


def _processes(config: Config, *, simulator: bool, catcher: bool) -> list[Program]:
    """In the order in which they start; they stop in the reverse of it."""
    # the simulator makes the CA file, so it is the one process that must not be told to use it
    alone = [Program("simulator", _command("simulator"), environment={"NOTIFY_FCM_CA_FILE": ""})] if simulator else []
    alone += [Program("catcher", _command("catcher"))] if catcher else []
    counts = {"worker": config.worker_processes, "scheduler": 1, "realtime": 1, "web": 1}
    return alone + [Program(name, _command(name), count) for name, count in counts.items()]


def _command(name: str) -> list[str]:
    return [sys.executable, "-m", "notify_server.cli", name]


def _raise_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
