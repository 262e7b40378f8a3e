"""`scripts/fill [--entries N] [--days N]`: fills the configured, migrated database, which must be empty."""

import argparse
import time

from notify_server import config as configuration
from notify_server import logs
from notify_server.storage import migrations
from notify_server.storage.database import connect
from scripts.filling.counting import count
from scripts.filling.world import World
from scripts.filling.writing import fill


def main() -> None:
    """Fill, count, and say how long both took."""
    parser = argparse.ArgumentParser(prog="scripts/fill", description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000, help="registry entries, about (default 1,000,000)")
    parser.add_argument("--days", type=int, default=365, help="up to now (default 365)")
    arguments = parser.parse_args()
    logs.configure("error", "console", "fill")
    config = configuration.load()
    database = connect(config)
    with database.client:
        migrations.run(database)
        if database["registry"].find_one({}, {"_id": 1}) is not None:
            parser.error("the registry of this database is not empty")
        began = time.perf_counter()
        notifications, entries = fill(config, World.of(arguments.entries, arguments.days))
        filled = time.perf_counter()
        print(f"{entries:,} entries of {notifications:,} notifications written in {filled - began:.0f} s", flush=True)
        counted = count(config)
        print(f"{counted:,} entries counted in {time.perf_counter() - filled:.0f} s")


if __name__ == "__main__":
    main()
