"""The command line."""

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import click

from notify_server.errors import ConfigurationError, NotifyError

_MISUSED = 2  # exit code for a configuration that cannot work
_MODULES = {
    "processes": ("up", "web", "worker", "scheduler", "realtime", "simulator", "catcher"),
    "operations": ("migrate", "check-config", "send"),
    "tokens": ("token",),
    "packs": ("pack",),
    "statistics": ("stats",),
}


class Commands(click.Group):
    """Loads a command's module when it is asked for, and turns our errors into one line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Called by click: the names, in the order of the help."""
        return [name for names in _MODULES.values() for name in names]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Called by click: a process loads what it needs itself, and nothing of the others."""
        for module, names in _MODULES.items():
            if cmd_name in names:
                loaded = importlib.import_module(f"notify_server.commands.{module}")
                command: click.Command = getattr(loaded, cmd_name.replace("-", "_"))
                return command
        return None

    def invoke(self, ctx: click.Context) -> Any:
        """Called by click: run the command."""
        try:
            _make_metrics_directory()
            return super().invoke(ctx)
        except ConfigurationError as error:
            for problem in error.problems:
                click.echo(problem, err=True)
            sys.exit(_MISUSED)
        except NotifyError as error:
            click.echo(str(error), err=True)
            sys.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="notify-server")
def main() -> None:
    """Notify Server: push notifications with one registry entry per recipient."""


def _make_metrics_directory() -> None:
    """prometheus_client needs it before the first metric is defined."""
    directory = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    try:
        if directory:
            Path(directory).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError([f"PROMETHEUS_MULTIPROC_DIR: {error.strerror}."]) from None


if __name__ == "__main__":
    main()
