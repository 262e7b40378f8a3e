"""Commands, run as an operator does: as processes on the test's database."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from notify_server.bootstrap import build_services
from notify_server.services.server_tokens import ServerTokens
from tests.command_line import OUTSIDE, Done
from tests.commands.forked import Forked


@pytest.fixture(scope="package")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forked]:
    with Forked(tmp_path_factory.mktemp("forked"), _inherited()) as process:
        yield process


@pytest.fixture
def run(forked: Forked, config: Any, database: Any) -> Callable[..., Done]:
    """Runs a command as a process on the test's database, which ends with the exit code `expect`."""
    return _caller(config, forked.run)


@pytest.fixture
def run_anew(config: Any, database: Any) -> Callable[..., Done]:
    """The same as an interpreter of its own, for what depends on what is loaded when."""

    def start(arguments: Sequence[str], environment: Mapping[str, str], stdin: str) -> Done:
        command = [sys.executable, "-m", "notify_server.cli", *arguments]
        return subprocess.run(
            command, env=environment, input=stdin, capture_output=True, text=True, timeout=60, check=False
        )

    return _caller(config, start)


def _caller(config: Any, start: Callable[..., Done]) -> Callable[..., Done]:
    where = {"NOTIFY_MONGODB_URI": config.mongodb_uri, "NOTIFY_DATABASE": config.database}

    def call(*arguments: str, expect: int = 0, stdin: str = "", **environment: str) -> Done:
        done = start(arguments, _inherited() | where | environment, stdin)
        assert done.returncode == expect, done.stderr
        assert "Traceback" not in done.stderr
        return done

    return call


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(OUTSIDE)}


@pytest.fixture
def tokens(config: Any, database: Any) -> ServerTokens:
    """The tokens of the test's database."""
    return build_services(config, database).server_tokens
