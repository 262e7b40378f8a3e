"""The command line."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from notify_server import config as configuration
from notify_server import logs
from notify_server.config import Config
from notify_server.errors import ConfigurationError, NotifyError
from notify_server.storage import migrations
from notify_server.storage.database import connect, require_replica_set

if TYPE_CHECKING:
    from notify_server.bootstrap import Services

_MISUSED = 2  # exit code for a configuration that cannot work
_CLIENT = "command line"  # whose idempotency keys those of `send` are


class Commands(click.Group):
    """Turns our errors into one line on stderr and an exit code, never a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
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
    directory = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if directory:  # prometheus_client needs it before the first metric is defined
        _make(Path(directory))


def _make(metrics: Path) -> None:
    try:
        metrics.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError([f"PROMETHEUS_MULTIPROC_DIR: {error.strerror}."]) from None


def _load(process: str) -> Config:
    config = configuration.load()
    logs.configure(config.log_level, config.log_format, process)
    return config


def _process(name: str, run: Callable[[Config], Any]) -> None:
    sys.exit(run(_load(name)))


@main.command()
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
    sys.exit(stack.run(_load("up"), show, once=once))


@main.command()
def web() -> None:
    """Serve the API."""
    from notify_server.processes import web as process

    _process("web", process.run)


@main.command()
def worker() -> None:
    """Expand audiences and dispatch batches."""
    from notify_server.processes import worker as process

    _process("worker", process.run)


@main.command()
def scheduler() -> None:
    """Release, resend, expire and reap."""
    from notify_server.processes import scheduler as process

    _process("scheduler", process.run)


@main.command()
def realtime() -> None:
    """Serve the users' private channels (Socket.IO)."""
    from notify_server.processes import realtime as process

    _process("realtime", process.run)


@main.command()
def simulator() -> None:
    """Serve the FCM simulator."""
    from notify_server.processes import simulator as process

    _process("simulator", process.run)


@main.command("check-config")
def check_config() -> None:
    """Report every problem of the configuration at once; exit 2 if there is one."""
    configuration.load()
    click.echo("The configuration is valid.")


@main.command()
def migrate() -> None:
    """Bring the database to the version of this code."""
    database = connect(_load("migrate"), read_within=None)
    with database.client:
        require_replica_set(database)
        applied = migrations.run(database)
    click.echo(f"Applied: {', '.join(applied)}." if applied else "The database is current.")


@main.group()
def token() -> None:
    """Server tokens."""


@token.command("create")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, help="Grant this scope only; repeat for more. Default: every scope.")
def create_token(name: str, scopes: tuple[str, ...]) -> None:
    """Create a token; it is shown this once, alone on the last line."""
    with _services() as services:
        click.echo(services.server_tokens.create(name, scopes))


@token.command("list")
def list_tokens() -> None:
    """List the tokens: id, created, revoked, scopes, name."""
    with _services() as services:
        for client in services.server_tokens.listed():
            state = f"revoked {client['revoked_at']:%Y-%m-%d}" if client["revoked_at"] else "active"
            scopes = ",".join(client["scopes"])
            click.echo(f"{client['_id']}  {client['created_at']:%Y-%m-%d}  {state}  {scopes}  {client['name']}")


@token.command("revoke")
@click.argument("token_id")
def revoke_token(token_id: str) -> None:
    """Revoke a token for good."""
    with _services() as services:
        services.server_tokens.revoke(token_id)
    click.echo(f"Revoked {token_id}.")


@main.command()
@click.argument("file", type=click.File("rb"))
@click.option("--key", help="Idempotency key: the same key and payload send no second notification.")
def send(file: BinaryIO, key: str | None) -> None:
    """Hand over the payload in FILE (- for stdin), as POST /v1/notifications does, and print the answer.

    It goes straight to the database, without the web process and without a token.
    """
    from notify_server.api import files

    draft = files.draft(file.read())
    with _services() as services:
        click.echo(files.answer(services.acceptance.accept(draft, _CLIENT, key)))


@contextmanager
def _services() -> "Iterator[Services]":
    from notify_server.bootstrap import build_services

    config = _load("command")
    database = connect(config)
    with database.client:
        migrations.require_current(database)
        yield build_services(config, database)


if __name__ == "__main__":
    main()
