from collections.abc import Iterator

import pytest

from notify_server.bootstrap import build_engine, build_gateway, build_services, build_upkeep
from notify_server.channels.fcm.transport import open_transport
from notify_server.config import Config
from notify_server.domain.push import PushTransport
from notify_server.storage.database import connect
from notify_server.storage.documents import Store
from notify_server.storage.notifications import Notifications
from tests.builders import NOON, StoppedClock, a_notification, after
from tests.fcm_simulator import free_port


@pytest.fixture
def transport() -> Iterator[PushTransport]:
    made = open_transport(Config())
    yield made
    made.close()


def test_wiring_contacts_nothing(transport: PushTransport) -> None:
    config = Config(mongodb_uri=f"mongodb://127.0.0.1:{free_port()}")
    with connect(config).client as client:
        database = client[config.database]
        built = [build(config, database) for build in (build_services, build_upkeep, build_gateway)]
        assert len([*built, build_engine(config, database, transport)]) == 4


def test_two_runs_of_one_worker_are_two_owners(config: Config, database: Store, transport: PushTransport) -> None:
    for _ in range(2):
        Notifications(database).add(a_notification(), None)
        assert build_engine(config, database, transport, StoppedClock()).expansion.claim()
    owners = database["notifications"].distinct("owner")
    assert len(owners) == 2
    assert all(owner.startswith(f"{config.owner}:") for owner in owners)


def test_the_clock_and_the_lease_are_those_given(config: Config, database: Store, transport: PushTransport) -> None:
    Notifications(database).add(a_notification(), None)
    build_engine(config, database, transport, StoppedClock()).expansion.claim()
    leadership, _ = build_upkeep(config, database, StoppedClock())
    assert leadership.held()
    assert database["notifications"].distinct("due_at") == [after(config.lease)]
    assert database["leases"].distinct("until") == [after(config.lease)]
    assert build_services(config, database, StoppedClock()).people.put("u1", {})
    assert database["users"].distinct("created_at") == [NOON]
