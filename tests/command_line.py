"""The command line, called in this process, and what its tests share."""

import os
import re
import subprocess

from click.testing import CliRunner, Result

from notify_server.cli import main

COMMANDS = {
    "up",
    "migrate",
    "web",
    "worker",
    "scheduler",
    "realtime",
    "simulator",
    "catcher",
    "pack",
    "token",
    "check-config",
    "send",
    "stats",
}
OUTSIDE = ("NOTIFY_", "PROMETHEUS_")  # settings that are not the test's

Done = subprocess.CompletedProcess[str]


def invoke(*arguments: str, stdin: str = "", **environment: str) -> Result:
    """Runs a command in this process; only for those that end before they set up logs."""
    outside = dict.fromkeys(name for name in os.environ if name.startswith(OUTSIDE))
    return CliRunner().invoke(main, arguments, input=stdin, env=outside | environment)


def listed(text: str) -> set[str]:
    return set(re.findall(r"^  ([a-z][a-z-]+)  ", text, re.MULTILINE))


def named(text: str) -> set[str]:
    """The variables that begin the lines."""
    return {line.partition(":")[0] for line in text.splitlines()}
