"""MongoDB refuses the writes of a living worker for a while, as it does when its disk is full."""

from collections.abc import Callable, Iterator

import pytest

from tests.faults.conftest import SOME
from tests.faults.scene import BATCH, Scene
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


def reached(scene: Scene, notification: str, moment: str) -> bool:
    found = scene.notification(notification)
    return bool(found["expanded"]) if moment == "dispatch" else found["recipients"] >= 2 * BATCH


@pytest.mark.parametrize(("moment", "thread"), [("expansion", "expander"), ("dispatch", "dispatcher")])
def test_a_living_worker_comes_back_to_what_it_could_not_write(scene, refuse, people, moment, thread):
    scene.fcm.behave(latency={"min": 0.1, "max": 0.2})
    worker = scene.service.start("worker").ready("worker started")
    notification = scene.accept(groups=["some"])
    until(lambda: reached(scene, notification, moment), f"it is in mid-{moment}")
    refuse(True)
    until(lambda: f'"loop": "{thread}' in worker.output, "a write is refused")
    scene.begin()
    refuse(False)
    scene.await_done(notification)
    evidence = scene.evidence(notification)
    scene.record(f"writes refused in mid-{moment}", evidence, people[:SOME])
    assert violations(evidence) == []
    assert sorted(evidence.having("sent")) == people[:SOME]
    assert evidence.duplicates <= worker.events().count("step failed") * BATCH
