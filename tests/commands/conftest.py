"""Commands, run as an operator does: as processes on the test's database."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from notify_server.bootstrap import build_services
from notify_server.services.server_tokens import ServerTokens
from tests.command_line import OUTSIDE, Done


@pytest.fixture
def run(config: Any, database: Any) -> Callable[..., Done]:
    """Runs a command as a process on the test's database, which ends with the exit code `expect`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OUTSIDE)}
    where = {"NOTIFY_MONGODB_URI": config.mongodb_uri, "NOTIFY_DATABASE": config.database}

    def call(*arguments: str, expect: int = 0, stdin: str = "", **environment: str) -> Done:
        command = [sys.executable, "-m", "notify_server.cli", *arguments]
        told = inherited | where | environment
        done = subprocess.run(command, env=told, input=stdin, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == expect, done.stderr
        assert "Traceback" not in done.stderr
        return done

    return call


@pytest.fixture
def tokens(config: Any, database: Any) -> ServerTokens:
    """The tokens of the test's database."""
    return build_services(config, database).server_tokens
