"""supervisord as a child: it runs our programs, starts them again when they die, and stops them in order."""

import contextlib
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from notify_server.errors import ConfigurationError
from notify_server.processes.programs import Program, configuration

START_WITHIN = 20.0  # seconds, for supervisord itself
_PAUSE = 0.05  # seconds between two looks


@dataclass(frozen=True)
class State:
    """Where one process stands, in supervisord's words (its manual, "Process States")."""

    program: str
    name: str
    pid: int
    state: str

    @property
    def down(self) -> bool:
        """Whether it has ended by itself."""
        return self.state in ("BACKOFF", "EXITED", "FATAL")


class Supervisor:
    """One supervisord in a session of its own, out of the terminal's reach, and its programs."""

    def __init__(self, programs: Sequence[Program], run_dir: Path, environment: Mapping[str, str]) -> None:
        """`environment` is the whole environment of supervisord and its children. Nothing starts yet."""
        self._programs = programs
        self._run_dir = run_dir
        self._environment = environment

    @contextlib.contextmanager
    def running(self, output: IO[bytes]) -> Iterator[None]:
        """Run supervisord; at the end stop every program, last one first, and then supervisord.

        What the programs print goes to `output`. Raises ConfigurationError when supervisord does not start.
        """
        # not in the run directory: the path of a socket has at most 107 bytes
        with tempfile.TemporaryDirectory(prefix="notify-up-") as place:
            self._socket = Path(place, "supervisor.sock")
            conf = self._run_dir / "supervisord.conf"
            conf.write_text(configuration(self._programs, self._run_dir, self._socket))
            command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(conf)]
            pipe = subprocess.PIPE
            with subprocess.Popen(  # noqa: S603
                command, env=self._environment, stdout=pipe, stderr=subprocess.STDOUT, start_new_session=True
            ) as self._process:
                copier = threading.Thread(target=_copy, args=(self._process.stdout, output))
                try:
                    copier.start()
                    self._await_answer()
                    yield
                finally:
                    self._process.terminate()
                    self._process.wait()
                    copier.join()

    @property
    def alive(self) -> bool:
        """Whether supervisord runs."""
        return self._process.poll() is None

    def launch(self, program: str) -> None:
        """Start the processes of `program`, without waiting for them."""
        with self._call() as server:
            server.supervisor.startProcessGroup(program, False)

    def states(self) -> list[State]:
        """Every process of every program; the pid is 0 while there is none. Empty when supervisord is gone."""
        try:
            with self._call() as server:
                found = server.supervisor.getAllProcessInfo()
        except OSError:
            return []
        return [State(info["group"], info["name"], info["pid"], info["statename"]) for info in found]

    def _await_answer(self) -> None:
        until = time.monotonic() + START_WITHIN
        while not self._listens():
            if not self.alive or time.monotonic() > until:
                raise ConfigurationError([f"supervisord does not start: see {self._run_dir / 'supervisord.log'}"])
            time.sleep(_PAUSE)

    def _listens(self) -> bool:
        """Whether the socket takes connections: its file is there a moment before it does."""
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self._socket)) == 0

    def _call(self) -> Any:
        from supervisor import childutils  # type: ignore[import-untyped] # noqa: PLC0415 - an extra, needed here only

        url = f"unix://{self._socket}"
        return childutils.getRPCInterface({"SUPERVISOR_SERVER_URL": url})


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    """Pass lines on as they come; when nobody takes them any more, read on, so that nobody blocks."""
    for line in source:
        with contextlib.suppress(OSError, ValueError):
            target.write(line)
            target.flush()
