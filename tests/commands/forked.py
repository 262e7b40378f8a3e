"""Commands as processes that are forked from one which has loaded the program: that takes most of a command's time."""

import gc
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from notify_server import cli
from tests.command_line import Done

_MODULES = ("operations", "packs", "statistics", "tokens")  # of notify_server.commands


class Forked:
    """The process that others are forked from; its tasks are lines of JSON, its answers their exit codes."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self._files = [directory / name for name in ("stdin", "stdout", "stderr")]
        command = [sys.executable, "-m", "tests.commands.forked"]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen(command, env=environment, text=True, bufsize=1, **pipes)

    def run(self, arguments: Sequence[str], environment: Mapping[str, str], stdin: str) -> Done:
        """As subprocess.run, for `notify-server` with these arguments."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._files[0].write_text(stdin)
        task = {"arguments": arguments, "environment": dict(environment), "files": list(map(str, self._files))}
        self._process.stdin.write(json.dumps(task) + "\n")
        code = int(self._process.stdout.readline())
        return Done(arguments, code, *(file.read_text() for file in self._files[1:]))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.communicate()  # its tasks are over: it ends
        assert self._process.returncode == 0


def _become(task: Mapping[str, Any]) -> None:
    os.environ.clear()
    os.environ.update(task["environment"])
    sys.argv[1:] = task["arguments"]
    for number, name in enumerate(task["files"]):
        file = os.open(name, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
        os.close(file)
    sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115 - the other has read ahead
    sys.stdout = open(1, "w", encoding="utf-8")  # noqa: SIM115 - to a file, and not line by line


def _serve() -> None:
    for name in _MODULES:
        importlib.import_module(f"notify_server.commands.{name}")
    gc.freeze()  # what is loaded stays as it is in memory, which each child shares
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _become(json.loads(line))
            cli.main(prog_name="notify-server")
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
