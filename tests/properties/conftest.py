"""What stateful properties run in: one mongod, one simulator and one transport for all their examples."""

import pytest

from notify_server.storage.documents import Store
from tests.properties.world import populate
from tests.services.conftest import fcm, leading_to, simulator, transport

__all__ = ["fcm", "leading_to", "simulator", "transport"]


@pytest.fixture
def populated(database: Store) -> Store:
    """The database with those users in it who stay the same in all examples."""
    populate(database)
    return database
