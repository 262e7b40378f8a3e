"""One FCM simulator and one database of 20,000 people for all the faults; and what each fault cost, in a table."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from notify_server.config import Config
from notify_server.storage import migrations
from notify_server.storage.database import connect
from tests.faults.scene import Row, Scene, names, populate, scene_at
from tests.fcm_simulator import SimulatorProcess

EVERYONE, SOME = 20_000, 5_000
_DATABASE = "faults"


@pytest.fixture(scope="session")
def simulator() -> Iterator[SimulatorProcess]:
    with SimulatorProcess() as running:
        yield running


@pytest.fixture
def fcm(simulator: SimulatorProcess) -> Iterator[SimulatorProcess]:
    """The simulator, behaving well and without memory."""
    simulator.behave()
    simulator.clear()
    yield simulator
    simulator.behave()


@pytest.fixture(scope="session")
def people(mongodb_uri: str) -> Iterator[list[str]]:
    """All 20,000 people, of the group `all`; the first 5,000 of them are also `some`."""
    database = connect(Config(mongodb_uri=mongodb_uri, database=_DATABASE))
    migrations.run(database)
    users = names(EVERYONE)
    populate(database, users, {"all": EVERYONE, "some": SOME})
    yield users
    database.client.drop_database(_DATABASE)
    database.client.close()


@pytest.fixture(scope="session")
def rows() -> list[Row]:
    """What the faults have cost so far."""
    return []


@pytest.fixture(autouse=True)
def _reported(rows: list[Row], request: pytest.FixtureRequest) -> Iterator[None]:
    """Hand what a test's faults have cost to its report, which finds its way from any process."""
    before = len(rows)
    yield
    request.node.user_properties.extend(("fault", asdict(row)) for row in rows[before:])


@pytest.fixture
def make_scene(
    mongodb_uri: str, people: list[str], fcm: SimulatorProcess, tmp_path: Path, rows: list[Row]
) -> Iterator[Callable[..., Scene]]:
    """Makes a scene with settings of its own."""
    made: list[Scene] = []

    def make(**settings: Any) -> Scene:
        made.append(scene_at(mongodb_uri, _DATABASE, fcm, tmp_path, **settings))
        made[-1].rows = rows
        return made[-1]

    yield make
    for scene in made:
        scene.close()


@pytest.fixture
def scene(make_scene: Callable[..., Scene]) -> Scene:
    """A scene with the usual settings: leases of 2 seconds."""
    return make_scene()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for group in terminalreporter.stats.values() for report in group]
    ends = [report for report in reports if getattr(report, "when", None) == "teardown"]
    rows = [Row(**value) for report in ends for name, value in report.user_properties if name == "fault"]
    if rows:
        terminalreporter.section("faults")
        terminalreporter.write_line(f"{'fault':<64}{'recipients':>11}{'lost':>6}{'duplicates':>12}{'seconds':>9}")
    for row in rows:
        figures = f"{row.recipients:>11}{row.lost:>6}{row.duplicates:>12}{row.seconds:>9.1f}"
        terminalreporter.write_line(f"{row.fault:<64}{figures}")
