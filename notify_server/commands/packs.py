"""Packs of templates and actions."""

from collections import Counter

import click

from notify_server.commands.setting import services
from notify_server.services import packs
from notify_server.services.audit import Kind, Party


@click.group()
def pack() -> None:
    """Ready templates and actions."""


@pack.command("list")
def list_packs() -> None:
    """List the packs: name, how many actions, title."""
    for name in packs.names():
        found = packs.load(name)
        click.echo(f"{name}  {len(found.pieces)} actions  {found.title}")


@pack.command("install")
@click.argument("name")
@click.option("--force", is_flag=True, help="Replace also what somebody has changed since, or has written themselves.")
def install_pack(name: str, force: bool) -> None:
    """Install a pack, or bring it up to date. What somebody has changed is kept, and said so."""
    with services() as opened, opened.audit.command("packs.install", Party(Kind.PACK, name), ("force",) * force):
        installed = opened.packs.install(name, force=force)
    for each in installed:
        click.echo(f"{each.outcome:<9}  {each.kind:<8}  {each.name}")
    counts = Counter(each.outcome.value for each in installed)
    click.echo(", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())))
