"""What every command does first: read the configuration, begin to log, and, where it needs them, open the services."""

from collections.abc import Iterator
from contextlib import contextmanager

from notify_server import config as configuration
from notify_server import failpoints, logs
from notify_server.bootstrap import Services, build_services
from notify_server.config import Config
from notify_server.storage import migrations
from notify_server.storage.database import connect


def load(process: str) -> Config:
    """The configuration, with logs that name `process`, and the failpoint of a test. Raises ConfigurationError."""
    config = configuration.load()
    failpoints.arm()
    logs.configure(config.log_level, config.log_format, process)
    return config


@contextmanager
def services() -> Iterator[Services]:
    """The services on the configured database, which must be current. Raises DatabaseError."""
    config = load("command")
    database = connect(config)
    with database.client:
        migrations.require_current(database)
        yield build_services(config, database)
