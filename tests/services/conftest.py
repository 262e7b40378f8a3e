"""One FCM simulator and one transport to it for all services' tests; a fresh scene for each."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from notify_server.channels.fcm.transport import open_transport
from notify_server.config import Config
from notify_server.domain.push import PushTransport
from notify_server.storage.documents import Store
from tests.builders import StoppedClock
from tests.fcm_simulator import SimulatorProcess
from tests.services.scene import LEASE, Scene


@pytest.fixture(scope="package")
def simulator() -> Iterator[SimulatorProcess]:
    """The simulator, whose credential is the one that is found."""
    with SimulatorProcess() as process, pytest.MonkeyPatch.context() as environment:
        environment.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(process.credentials_file))
        yield process


@pytest.fixture
def fcm(simulator: SimulatorProcess) -> SimulatorProcess:
    """The simulator, well-behaved and without memories."""
    simulator.behave()
    simulator.clear()
    return simulator


@pytest.fixture(scope="package")
def transport(simulator: SimulatorProcess) -> Iterator[PushTransport]:
    """The real transport."""
    made = open_transport(leading_to(simulator, Config()))
    yield made
    made.close()


def leading_to(simulator: SimulatorProcess, config: Config) -> Config:
    """`config`, with the simulator as FCM."""
    return replace(
        config,
        fcm_endpoint=simulator.url,
        fcm_ca_file=str(simulator.ca_file),
        fcm_project=simulator.project,
        jwt_secret="a secret that is long enough for HS256",
        lease=LEASE,
        fcm_rate=1e6,
        fcm_ramp=0.0,
    )


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def scene(
    config: Config, database: Store, transport: PushTransport, fcm: SimulatorProcess, clock: StoppedClock
) -> Iterator[Scene]:
    made = Scene(leading_to(fcm, config), database, transport, fcm, clock)
    yield made
    made.close()


@pytest.fixture
def impatient(database: Store) -> Iterator[None]:
    """A server that ends a transaction which stands still after one second: five would be waited for in vain."""
    name, command = "transactionLifetimeLimitSeconds", database.client.admin.command
    usual = command("setParameter", 1, **{name: 1})["was"]
    yield
    command("setParameter", 1, **{name: usual})
