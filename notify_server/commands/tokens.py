"""Server tokens."""

import click

from notify_server.commands.setting import services


@click.group()
def token() -> None:
    """Server tokens."""


@token.command("create")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, help="Grant this scope only; repeat for more. Default: every scope.")
def create_token(name: str, scopes: tuple[str, ...]) -> None:
    """Create a token; it is shown this once, alone on the last line."""
    with services() as opened:
        click.echo(opened.server_tokens.create(name, scopes))


@token.command("list")
def list_tokens() -> None:
    """List the tokens: id, created, revoked, scopes, name."""
    with services() as opened:
        for client in opened.server_tokens.listed():
            state = f"revoked {client['revoked_at']:%Y-%m-%d}" if client["revoked_at"] else "active"
            scopes = ",".join(client["scopes"])
            click.echo(f"{client['_id']}  {client['created_at']:%Y-%m-%d}  {state}  {scopes}  {client['name']}")


@token.command("revoke")
@click.argument("token_id")
def revoke_token(token_id: str) -> None:
    """Revoke a token for good."""
    with services() as opened:
        opened.server_tokens.revoke(token_id)
    click.echo(f"Revoked {token_id}.")
