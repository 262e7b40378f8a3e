"""The commands that do one thing and end."""

from typing import BinaryIO

import click

from notify_server import config as configuration
from notify_server.api import files
from notify_server.commands.setting import load, services
from notify_server.storage import migrations
from notify_server.storage.database import connect, require_replica_set

_NO_USER_TOKENS = (
    "Note: user tokens are not configured (NOTIFY_JWT_SECRET or NOTIFY_JWT_JWKS_URL). Only `up` makes a secret of its "
    "own; `web` and `realtime` refuse every device."
)
_CLIENT = "command line"  # whose idempotency keys those of `send` are


@click.command("check-config")
def check_config() -> None:
    """Report every problem of the configuration at once; exit 2 if there is one."""
    config = configuration.load()
    if not config.takes_user_tokens:
        click.echo(_NO_USER_TOKENS, err=True)
    click.echo("The configuration is valid.")


@click.command()
def migrate() -> None:
    """Bring the database to the version of this code."""
    database = connect(load("migrate"), read_within=None)
    with database.client:
        require_replica_set(database)
        applied = migrations.run(database)
    click.echo(f"Applied: {', '.join(applied)}." if applied else "The database is current.")


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--key", help="Idempotency key: the same key and payload send no second notification.")
def send(file: BinaryIO, key: str | None) -> None:
    """Hand over the payload in FILE (- for stdin), as POST /v1/notifications does, and print the answer.

    It goes straight to the database, without the web process and without a token.
    """
    draft = files.draft(file.read())
    with services() as opened:
        click.echo(files.answer(opened.acceptance.accept(draft, _CLIENT, key)))
