from collections.abc import Iterator

import pytest

from tests.fcm_simulator import SimulatorProcess


@pytest.fixture(scope="session")
def simulator_process() -> Iterator[SimulatorProcess]:
    with SimulatorProcess() as process:
        yield process


@pytest.fixture
def fcm(simulator_process: SimulatorProcess) -> SimulatorProcess:
    """A running simulator that behaves well and has seen nothing."""
    simulator_process.behave()
    simulator_process.clear()
    simulator_process.devices([])
    return simulator_process


class Clock:
    """Seconds that pass only when the test says so."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()
