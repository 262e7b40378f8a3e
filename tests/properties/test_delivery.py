"""Any interleaving of payloads, workers, schedulers, devices, receipts, cancels and crashes keeps the invariants."""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from notify_server.config import Config
from notify_server.domain.push import PushTransport
from notify_server.storage.documents import Store
from tests.builders import StoppedClock
from tests.fcm_simulator import SimulatorProcess
from tests.properties.conftest import leading_to
from tests.properties.machine import Machine
from tests.properties.world import World
from tests.services.scene import Scene

EXAMPLES = int(os.environ.get("NOTIFY_PROPERTY_EXAMPLES", "0"))  # more, and others each time; 0: the usual ones
EVERYTHING = settings(
    max_examples=EXAMPLES or 20,
    stateful_step_count=40,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.timeout(0 if EXAMPLES else 420)
def test_any_interleaving_keeps_the_invariants(
    config: Config, populated: Store, transport: PushTransport, fcm: SimulatorProcess
) -> None:
    def fresh() -> Machine:
        return Machine(World(Scene(leading_to(fcm, config), populated, transport, fcm, StoppedClock())))

    run_state_machine_as_test(fresh, settings=EVERYTHING)
