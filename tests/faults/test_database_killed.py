"""kill -9 of mongod while it is in full use: the service's processes live on, and carry on where they were."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from notify_server.storage import migrations
from tests.faults.conftest import EVERYONE, SOME
from tests.faults.scene import BATCH, SLOW, Scene, names, populate, scene_at
from tests.faults.test_worker_killed import IN_FLIGHT
from tests.mongod import Mongod
from tests.service import until

PEOPLE = names(EVERYONE)
GIVEN_UP = 5.5  # seconds of absence after which the driver's one retry is over, and an operation has failed


@pytest.fixture(scope="module")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """A mongod for these tests alone, with all the people in it."""
    mongod = Mongod(tmp_path_factory.mktemp("mongod"))
    mongod.start()
    yield mongod
    mongod.stop()


@pytest.fixture
def scene(mongod, fcm, tmp_path, rows) -> Iterator[Scene]:
    """A scene on that mongod."""
    scene = scene_at(mongod.uri, "faults", fcm, tmp_path)
    scene.rows = rows
    if migrations.run(scene.database):
        populate(scene.database, PEOPLE, {"all": EVERYONE, "some": SOME})
    yield scene
    scene.close()


def start_all(scene: Scene) -> list[int]:
    """Two workers and a scheduler; their process ids."""
    processes = [scene.service.start(command, worker_threads=2) for command in ("worker", "worker", "scheduler")]
    return [process.ready(f"{process.command} started").pid for process in processes]


def alive(scene: Scene) -> list[int]:
    return [process.pid for process in scene.service.processes if process.alive]


def test_a_database_killed_in_mid_dispatch_costs_nobody(scene, mongod):
    scene.fcm.behave(latency=SLOW)
    pids = start_all(scene)
    notification = scene.accept(groups=["all"])
    until(lambda: scene.count(notification, status="sent") > EVERYONE / 4, "a part is sent")
    mongod.kill()
    scene.begin()
    mongod.start()
    assert scene.count(notification, status="sent") < EVERYONE
    scene.await_done(notification)
    evidence = scene.sent_to_all("mongod killed in mid-dispatch", notification, PEOPLE)
    assert evidence.duplicates <= IN_FLIGHT
    assert alive(scene) == pids


@pytest.mark.full
def test_a_database_away_for_long_in_mid_expansion_costs_nobody(scene, mongod):
    scene.fcm.behave(latency=SLOW)
    pids = start_all(scene)
    notification = scene.accept(groups=["some"])
    until(lambda: scene.notification(notification)["recipients"] >= 2 * BATCH, "some pages are expanded")
    mongod.kill()
    time.sleep(GIVEN_UP)
    scene.begin()
    mongod.start()
    scene.await_done(notification)
    evidence = scene.sent_to_all("mongod away for 5 seconds in mid-expansion", notification, PEOPLE[:SOME])
    assert evidence.duplicates <= IN_FLIGHT
    assert alive(scene) == pids
    scheduled = scene.accept(users=PEOPLE[:10], send_at=datetime.now(UTC) + timedelta(milliseconds=100))
    scene.await_done(scheduled)  # the scheduler works on, too
