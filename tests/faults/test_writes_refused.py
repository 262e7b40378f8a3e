"""MongoDB refuses the writes of a living worker for a while, as it does when its disk is full."""

from collections.abc import Callable, Iterator

import pytest

from tests.faults.api import Api
from tests.faults.conftest import SOME
from tests.faults.scene import BATCH, SLOW, WINDOW
from tests.invariants import violations
from tests.service import until


@pytest.fixture
def refuse(scene) -> Iterator[Callable[[bool], None]]:
    """Makes the registry refuse every write, or take them again."""

    def refuse(refused: bool) -> None:
        validator = {"never": {"$exists": True}} if refused else {}
        scene.database.command("collMod", "registry", validator=validator)

    yield refuse
    refuse(False)


@pytest.fixture
def block(scene) -> Iterator[Callable[[bool], None]]:
    """Makes the whole database read-only, or writable again, as an administrator does before a migration."""

    def block(blocked: bool) -> None:
        scene.database.client.admin.command({"setUserWriteBlockMode": 1, "global": blocked})

    yield block
    block(False)


def test_a_read_only_database_is_unavailable_to_writers_and_everything_waits(scene, block, people):
    scene.fcm.behave(latency=SLOW)
    processes = [scene.service.start(command) for command in ("worker", "scheduler", "web")]
    for process in processes[:2]:
        process.ready(f"{process.command} started")
    api = Api(scene)
    api.await_ready()
    notification = scene.accept(groups=["some"])
    until(lambda: scene.notification(notification)["recipients"] >= 2 * BATCH, "some pages are expanded")
    block(True)
    until(lambda: "database unavailable" in processes[0].events(), "the worker notices")
    refused = api.post("once", users=people[:10])
    assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
    assert api.client.get(f"/v1/notifications/{notification}").status_code == 200
    scene.begin()
    block(False)
    posted = api.insist("once", users=people[:10])
    api.close()
    scene.await_done(notification, posted)
    scene.sound(scene.evidence(posted))
    evidence = scene.sent_to_all("database read-only", notification, people[:SOME])
    assert evidence.duplicates <= WINDOW
    assert all(process.alive for process in processes)


@pytest.mark.full
def test_a_living_worker_comes_back_to_what_it_could_not_write(scene, refuse, people):
    scene.fcm.behave(latency=SLOW)
    worker = scene.service.start("worker").ready("worker started")
    notification = scene.accept(groups=["some"])
    until(lambda: scene.notification(notification)["recipients"] >= 2 * BATCH, "some pages are expanded")
    refuse(True)
    until(lambda: '"loop": "expander"' in worker.output, "an entry is refused")
    until(lambda: '"loop": "dispatcher' in worker.output, "an outcome is refused")
    scene.begin()
    refuse(False)
    scene.await_done(notification)
    evidence = scene.evidence(notification)
    window = worker.events().count("step failed") * BATCH
    scene.record("writes refused", evidence, people[:SOME], window=window)
    assert violations(evidence) == []
    assert sorted(evidence.having("sent")) == people[:SOME]
    assert evidence.duplicates <= window
