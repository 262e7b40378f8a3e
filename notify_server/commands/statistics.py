"""The commands about figures."""

import sys

import click

from notify_server.bootstrap import build_verification
from notify_server.commands.figures import COMMANDS
from notify_server.commands.setting import load
from notify_server.services.verdict import Difference
from notify_server.storage.database import connect

_SHOWN = 8  # counts of one difference
_UNSETTLED = 5  # notifications that are named
_WAIT = 60.0  # seconds
_UNPROVEN = 2  # exit code: nothing differs, as far as it could be compared


@click.group()
def stats() -> None:
    """Figures of users, groups, communities, categories and notifications, and the proof that they are right."""


@stats.command()
@click.option("--repair", is_flag=True, help="Count anew what differs.")
@click.option("--wait", default=_WAIT, show_default=True, help="Seconds to wait for what changes in this moment.")
def verify(*, repair: bool, wait: float) -> None:
    """Recount the whole registry against the statistics; exit 1 if anything differs, 2 if something is not counted yet.

    It reads every entry, in flat memory, and may run while the server does.
    """
    config = load("stats verify")
    database = connect(config)
    with database.client:
        verdict = build_verification(config, database, patience=wait).verify(_tell, repair=repair)
    compared = f"{verdict.entries} entries of {verdict.notifications} notifications, and {verdict.rollups} roll-ups"
    if verdict.unsettled:
        named = ", ".join(verdict.unsettled[:_UNSETTLED])
        click.echo(f"{len(verdict.unsettled)} notifications have changed and are not counted yet: {named}")
    if not verdict.differences:
        click.echo(f"Compared {compared}: {'the rest is equal' if verdict.unsettled else 'no difference'}.")
        sys.exit(_UNPROVEN if verdict.unsettled else 0)
    repaired = " They are repaired: verify again." if repair else " --repair counts them anew."
    click.echo(f"Compared {compared}: {verdict.differences} differences.{repaired}")
    sys.exit(1)


for _command in COMMANDS:
    stats.add_command(_command)


def _tell(difference: Difference) -> None:
    shown = [f"{name} {difference.found[name]}, not {count}" for name, count in difference.expected.items()]
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    click.echo(f"{difference.what}: {'; '.join(shown[:_SHOWN])}{more}")
