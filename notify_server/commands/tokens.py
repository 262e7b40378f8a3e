"""Server tokens."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import click

from notify_server.commands.durations import duration, moment
from notify_server.commands.setting import services
from notify_server.domain.server_token import client_of
from notify_server.services.audit import Kind, Party

_COLUMNS = ("ID", "PREFIX", "STATE", "CREATED", "EXPIRES", "LAST USED", "SCOPES", "NAME")


@click.group()
def token() -> None:
    """Server tokens."""


@token.command("create")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, help="Grant this scope only; repeat for more. Default: every scope.")
@click.option(
    "--expires",
    type=moment,
    metavar="DURATION|DATE",
    help="When it ends: 90d, 2027-01-31 (its first moment, UTC). Default: never.",
)
def create_token(name: str, scopes: tuple[str, ...], expires: datetime | timedelta | None) -> None:
    """Create a token; it is shown this once, alone on the last line."""
    with services() as opened, opened.audit.command("tokens.create", fields=("name", "scopes", "expires_at")) as made:
        token = opened.server_tokens.create(name, scopes, expires)
        made.party = Party(Kind.TOKEN, client_of(token))
    click.echo(token)


@token.command("list")
def list_tokens() -> None:
    """List the tokens: id, how each begins, state, created, expires, last used, scopes, name. Times are UTC."""
    with services() as opened:
        found = sorted(opened.server_tokens.listed(), key=lambda client: client["created_at"])
    _print([_COLUMNS, *map(_row, found)])


@token.command("rotate")
@click.argument("token_id")
@click.option("--overlap", type=duration, default="24h", show_default=True, help="How long the old secret stays good.")
@click.option(
    "--expires", type=moment, metavar="DURATION|DATE", help="When the token ends from now on. Default: as before."
)
def rotate_token(token_id: str, overlap: timedelta, expires: datetime | timedelta | None) -> None:
    """Give a token a new secret; it is shown this once, alone on the last line."""
    with services() as opened, opened.audit.command("tokens.rotate", Party(Kind.TOKEN, token_id)):
        token = opened.server_tokens.rotate(token_id, overlap, expires)
    click.echo(token)


@token.command("revoke")
@click.argument("token_id")
def revoke_token(token_id: str) -> None:
    """Revoke a token for good."""
    with services() as opened, opened.audit.command("tokens.revoke", Party(Kind.TOKEN, token_id)):
        opened.server_tokens.revoke(token_id)
    click.echo(f"Revoked {token_id}.")


def _row(client: dict[str, Any]) -> Sequence[str]:
    state = str(client["state"])
    if client["revoked_at"]:
        state += f" {client['revoked_at']:%Y-%m-%d}"
    elif client["previous_until"]:
        state += f", old secret until {_minute(client['previous_until'])}"
    return (
        *(client["_id"], client["prefix"], state, f"{client['created_at']:%Y-%m-%d}"),
        *(_minute(client["expires_at"]), _minute(client["used_at"])),
        *(",".join(client["scopes"]), client["name"]),
    )


def _minute(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M}" if time else "never"


def _print(rows: Sequence[Sequence[str]]) -> None:
    """A table; the last column is as wide as it likes."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
