"""kill -9 of mongod while it is in full use: the service's processes live on, and carry on where they were."""

import time
from collections.abc import Iterator

import pytest

from notify_server.storage import migrations
from tests.faults.conftest import EVERYONE
from tests.faults.scene import BATCH, Scene, names, populate, scene_at
from tests.faults.test_worker_killed import IN_FLIGHT, SLOW
from tests.service import until

GIVEN_UP = 5.5  # seconds of absence after which the driver's one retry is over, and an operation has failed


@pytest.fixture
def scene(mongod, fcm, tmp_path) -> Iterator[Scene]:
    """A scene on a mongod of its own."""
    scene = scene_at(mongod.uri, "faults", fcm, tmp_path)
    migrations.run(scene.database)
    populate(scene.database, names(EVERYONE), {"all": EVERYONE})
    yield scene
    scene.close()


@pytest.mark.parametrize(("moment", "away"), [("expansion", GIVEN_UP), ("dispatch", 0.0)])
def test_workers_outlive_the_database_and_lose_nobody(scene, mongod, moment, away):
    people = names(EVERYONE)
    scene.fcm.behave(latency=SLOW)
    workers = [scene.service.start("worker", worker_threads=2) for _ in range(2)]
    scheduler = scene.service.start("scheduler")
    for process in workers:
        process.ready("worker started")
    notification = scene.accept(groups=["all"])
    if moment == "expansion":
        until(lambda: scene.notification(notification)["recipients"] >= 5 * BATCH, "some pages are expanded")
    else:
        until(lambda: scene.notification(notification)["expanded"], "the audience is expanded")
    mongod.kill()
    scene.begin()
    pids = [process.pid for process in (*workers, scheduler)]
    time.sleep(away)
    mongod.start()
    scene.await_done(notification)
    evidence = scene.sent_to_all(f"mongod killed in mid-{moment}", notification, people)
    assert evidence.duplicates <= IN_FLIGHT
    assert [process.pid for process in (*workers, scheduler) if process.alive] == pids
