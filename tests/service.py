"""The service as an operator runs it: real processes of the command line, killed, paused and stopped at will.

with Service(mongodb_uri, "notify", fcm, directory, lease=2.0) as service:
    worker = service.start("worker")
    …
    worker.kill()          # as a crash would
    worker.start()
    assert worker.stop() == 0
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from notify_server.config import Config
from tests.fcm_simulator import SimulatorProcess, free_port

STOP_SECONDS = 40.0  # a stop lets running sends end, and those may take 15 seconds
WAIT_SECONDS = 60.0  # until a test that waits in vain gives up
PROGRAM = ("-m", "notify_server.cli")  # what Python runs
_LOOK_AGAIN = 0.01  # seconds

_UNPACED = {"fcm_rate": 1e6, "fcm_ramp": 0.0}  # messages a second, seconds: what is paced is for other tests
_FROM_OUTSIDE = ("NOTIFY_", "GOOGLE_", "FIREBASE_", "PROMETHEUS_")  # settings that are not the test's


def until(condition: Callable[[], object], what: str = "", within: float = WAIT_SECONDS) -> None:
    """Wait for `condition`; AssertionError with `what` was waited for when it is still false after `within` s."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"waited {within:.0f} seconds in vain: {what}"
        time.sleep(_LOOK_AGAIN)


class Process:
    """One process of the service, started with `start`; its logs are JSON lines in a file that restarts append to."""

    def __init__(
        self, command: str, environment: Mapping[str, str], log: Path, program: Sequence[str] = PROGRAM
    ) -> None:
        self.command = command
        self._program = program
        self._environment = environment
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._begun_at = 0  # bytes of the log that earlier runs wrote

    @property
    def pid(self) -> int:
        """The process id of the running process."""
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start it, for the first time or again."""
        assert not self.alive
        self._begun_at = self._log.stat().st_size if self._log.exists() else 0
        command = [sys.executable, *self._program, self.command]
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                command, env=self._environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        return self

    def ready(self, event: str) -> Self:
        """Wait until this run has logged `event`."""
        until(lambda: event in self.events() or not self.alive, f"{self.command}: {event}")
        assert event in self.events(), f"{self.command} ended before {event!r}: {self.output}"
        return self

    def kill(self) -> None:
        """End it as a crash would."""
        self._signal(signal.SIGKILL)
        assert self.wait() == -signal.SIGKILL

    def notify(self, number: signal.Signals) -> None:
        """Send it a signal that it handles by itself."""
        self._signal(number)

    def pause(self) -> None:
        """Stand it still, as a suspended machine does."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def terminate(self) -> None:
        """Ask it to stop, and do not wait; asked twice, it ends at once."""
        self._signal(signal.SIGTERM)

    def stop(self) -> int:
        """Ask it to stop, and wait; its exit code."""
        self.terminate()
        return self.wait()

    def wait(self) -> int:
        """Wait until it has ended; its exit code."""
        assert self._process is not None
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"{self.command} did not stop: {self.output}") from None

    def close(self) -> None:
        """End it however it stands."""
        if self.alive:
            self._signal(signal.SIGKILL)
        if self._process is not None:
            self.wait()

    @property
    def output(self) -> str:
        """Everything that every run has written."""
        return self._log.read_text()

    def events(self) -> list[str]:
        """The events that this run has logged."""
        with self._log.open("rb") as log:
            log.seek(self._begun_at)
            return [_event(line) for line in log.read().splitlines()]

    def _signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)


def _event(line: bytes) -> str:
    try:
        content = json.loads(line)
    except ValueError:
        return line.decode(errors="replace")  # a traceback of the interpreter, say
    return str(content.get("event")) if isinstance(content, dict) else ""


class Service:
    """Any number of processes against one database and one FCM. `settings` are fields of Config (durations in s)."""

    def __init__(
        self, mongodb_uri: str, database: str, fcm: SimulatorProcess, directory: Path, **settings: Any
    ) -> None:
        self._fcm = fcm
        self._directory = directory
        self.config = Config(
            mongodb_uri=mongodb_uri,
            database=database,
            data_dir=directory,
            port=free_port(),
            fcm_project=fcm.project,
            fcm_endpoint=fcm.url,
            fcm_ca_file=str(fcm.ca_file),
            jwt_secret="a secret that is long enough for tests",
            **_UNPACED | settings,
        )
        self.processes: list[Process] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for process in self.processes:
            process.close()

    def start(self, command: str, *, failpoint: str = "", program: Sequence[str] = PROGRAM, **settings: Any) -> Process:
        """Start one more process of `command` (worker, scheduler, web); `settings` are for it alone.

        It dies at the step `failpoint` (see notify_server/failpoints.py), where one is given. `program` is what Python
        runs, before the command.
        """
        config = replace(self.config, **settings)
        log = self._directory / f"{command}-{len(self.processes)}.log"
        process = Process(command, self._environment(config) | {"NOTIFY_FAILPOINT": failpoint}, log, program)
        self.processes.append(process)
        return process.start()

    def failures(self) -> list[str]:
        """What no fault excuses: unforeseen errors that a process has logged."""
        lines = [line for process in self.processes for line in process.output.splitlines()]
        return [line for line in lines if "Traceback" in line]

    def _environment(self, config: Config) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_FROM_OUTSIDE)}
        named = {f"NOTIFY_{name.upper()}": _written(value) for name, value in vars(config).items() if name != "owner"}
        return inherited | named | {"GOOGLE_APPLICATION_CREDENTIALS": str(self._fcm.credentials_file)}


def _written(value: object) -> str:
    """A setting as the environment has it."""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
