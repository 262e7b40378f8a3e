"""The commands that run until they are stopped. Each imports its process alone."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from notify_server.commands.setting import load
from notify_server.config import Config


def _run(name: str, run: Callable[[Config], Any]) -> None:
    sys.exit(run(load(name)))


@click.command()
@click.option(
    "--demonstrate",
    "payload",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="When everything runs, send this payload to simulated devices and watch it.",
)
@click.option("--once", is_flag=True, help="Exit after the demonstration: 0 only if every state was reached.")
def up(*, payload: Path | None, once: bool) -> None:
    """Start everything in the foreground: MongoDB, FCM simulator, web, worker, scheduler, realtime."""
    from notify_server import demonstration
    from notify_server.processes import up as stack

    if once and payload is None:
        raise click.UsageError("--once needs --demonstrate.")
    show = None if payload is None else lambda config: demonstration.run(config, payload)
    sys.exit(stack.run(load("up"), show, once=once))


@click.command()
def web() -> None:
    """Serve the API."""
    from notify_server.processes import web as process

    _run("web", process.run)


@click.command()
def worker() -> None:
    """Expand audiences and dispatch batches."""
    from notify_server.processes import worker as process

    _run("worker", process.run)


@click.command()
def scheduler() -> None:
    """Release, resend, expire and reap."""
    from notify_server.processes import scheduler as process

    _run("scheduler", process.run)


@click.command()
def realtime() -> None:
    """Serve the users' private channels (Socket.IO)."""
    from notify_server.processes import realtime as process

    _run("realtime", process.run)


@click.command()
def catcher() -> None:
    """Catch mails, and list them: an SMTP server that delivers nothing."""
    from notify_server.processes import catcher as process

    _run("catcher", process.run)


@click.command()
def simulator() -> None:
    """Serve the FCM simulator."""
    from notify_server.processes import simulator as process

    _run("simulator", process.run)
