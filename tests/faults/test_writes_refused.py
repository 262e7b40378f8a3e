"""MongoDB refuses the writes of a living worker for a while, as it does when its disk is full."""

from collections.abc import Callable, Iterator

import pytest

from tests.faults.conftest import SOME
from tests.faults.scene import BATCH, SLOW
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
    scene.record("writes refused", evidence, people[:SOME])
    assert violations(evidence) == []
    assert sorted(evidence.having("sent")) == people[:SOME]
    assert evidence.duplicates <= worker.events().count("step failed") * BATCH
