"""One FCM simulator and one database of people for all the faults; and what each fault cost, in a table."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from notify_server.config import Config
from notify_server.storage import migrations
from notify_server.storage.database import connect
from tests.faults.scene import Row, Scene, names, populate, scene_at
from tests.faults.table import table
from tests.fcm_simulator import SimulatorProcess

EVERYONE, SOME = 10_000, 3_000
FULL_EVERYONE, FULL_SOME = 20_000, 5_000  # with --full
CROWD, FULL_CROWD = 2_000, 50_000  # the latter with --full
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


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="every fault, and at full size")


def pytest_configure(config: pytest.Config) -> None:
    """Before the tests are loaded, which go by these numbers."""
    global EVERYONE, SOME  # constant from here on
    if config.getoption("--full", default=False):
        EVERYONE, SOME = FULL_EVERYONE, FULL_SOME


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """One fault of each kind is enough for every day; the rest waits for --full."""
    rest = [] if config.getoption("--full") else [item for item in items if item.get_closest_marker("full")]
    config.hook.pytest_deselected(items=rest)
    items[:] = [item for item in items if item not in rest]


@pytest.fixture(scope="session")
def crowd(pytestconfig: pytest.Config) -> list[str]:
    """The people of the group `crowd`: few, unless --full is given."""
    return names(FULL_CROWD if pytestconfig.getoption("--full") else CROWD)


@pytest.fixture(scope="session")
def people(mongodb_uri: str, crowd: list[str]) -> Iterator[list[str]]:
    """Everybody, of the group `all`; the first of them are also `some`, and the first ones the crowd."""
    database = connect(Config(mongodb_uri=mongodb_uri, database=_DATABASE))
    migrations.run(database)
    users = names(max(EVERYONE, len(crowd)))
    populate(database, users, {"all": EVERYONE, "some": SOME, "crowd": len(crowd)})
    yield users[:EVERYONE]
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


def pytest_sessionfinish(session: pytest.Session) -> None:
    """At full size, what is out of bounds is a failure, time included."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    full = session.config.getoption("--full")
    if full and reporter is not None and not all(row.passed for row in reported(reporter)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows = reported(terminalreporter)
    if rows:
        terminalreporter.section("faults")
        for line in table(rows):
            terminalreporter.write_line(line)


def reported(reporter: pytest.TerminalReporter) -> list[Row]:
    """What the tests have reported, whichever process they ran in."""
    reports = [report for group in reporter.stats.values() for report in group]
    ends = [report for report in reports if getattr(report, "when", None) == "teardown"]
    return [Row(**value) for report in ends for name, value in report.user_properties if name == "fault"]
