from contextlib import suppress
from itertools import count, pairwise
from threading import Thread
from time import monotonic

import pytest

from notify_server.bootstrap import Engine
from notify_server.domain.notification import Priority
from notify_server.services.briefs import Briefs
from notify_server.services.feeding import _COMPANY, Feeding
from notify_server.services.handoff import Handoff
from notify_server.services.load import Load
from notify_server.services.rotation import Rotation
from tests.service import until
from tests.services.interruption import Interrupted, Killed, die
from tests.services.scene import Scene

CROWD = [f"u{number:04}" for number in range(1001)]  # three pages
LONG = 60.0  # seconds: longer than any test may take


class Feeder:
    """A worker's expander of large audiences, with room for one load of each rank; `brief` is the other one."""

    def __init__(self, scene: Scene, engine: Engine | None = None, patience: float = 0.1) -> None:
        def wait() -> float:
            return patience

        engine = engine or scene.engine
        self.handoff = Handoff(room=1)
        self.feeding = Feeding(Rotation(engine.expansion), self.handoff, engine.leasing, wait)
        self.brief = Feeding(Briefs(engine.expansion), self.handoff, engine.leasing, wait)

    def feed(self) -> None:
        self.feeding.feed(0.0)


@pytest.fixture
def feeder(scene: Scene) -> Feeder:
    return Feeder(scene)


def notifications(load: Load) -> list[str]:
    return [page.batch.key.notification for page in load]


def free(scene: Scene, notification: str) -> int:
    """How many batches of it any worker may have."""
    return sum(batch["owner"] is None for batch in scene.batches(notification))


def test_what_is_expanded_is_passed_on(scene: Scene, feeder: Feeder) -> None:
    brief, large = scene.accept("a", "b"), scene.accept(*CROWD)
    feeder.feed()
    assert notifications(feeder.handoff.take()) == [large]
    feeder.brief.feed(0.0)
    assert notifications(feeder.handoff.take()) == [brief]


def test_while_there_is_something_else_to_do_a_look_waits_for_company(scene: Scene, feeder: Feeder) -> None:
    accepted = [scene.accept("a")]

    def busy() -> bool:
        accepted.append(scene.accept("b"))
        return True

    Feeding(Briefs(scene.engine.expansion), feeder.handoff, scene.engine.leasing, busy=busy).feed(0.0)
    assert notifications(feeder.handoff.take()) == accepted


def test_what_came_just_after_a_look_is_left_to_the_next_one_while_there_is_something_else_to_do(scene: Scene) -> None:
    looks, source = list[float](), Briefs(scene.engine.expansion)
    source.claim = lambda: looks.append(monotonic()) or 0  # type: ignore[func-returns-value,method-assign]
    feeding = Feeding(source, Handoff(room=1), scene.engine.leasing, busy=lambda: True)
    for _ in range(3):
        feeding.feed(0.0)
    assert len(looks) == 3
    assert all(later - earlier >= _COMPANY for earlier, later in pairwise(looks))


def test_where_nothing_waits_a_call_is_waited_for(scene: Scene, feeder: Feeder) -> None:
    waiting = Thread(target=feeder.feeding.feed, args=(LONG,))
    waiting.start()
    while waiting.is_alive():
        feeder.handoff.wake()
        waiting.join(0.01)
    feeder.feed()
    assert not feeder.handoff.take()


def test_what_finds_no_room_in_time_is_left_to_any_worker(scene: Scene, feeder: Feeder) -> None:
    notification = scene.accept(*CROWD)
    feeder.feed()
    feeder.feed()
    assert len(feeder.handoff.take()) == 1
    assert not feeder.handoff.take()
    assert free(scene, notification) == 1
    assert len(scene.engine.leasing.holder.batches.keys()) == 1


def test_what_is_brief_is_passed_on_while_a_broadcast_waits_for_room(scene: Scene) -> None:
    feeder = Feeder(scene, patience=LONG)
    broadcast = scene.accept(*CROWD)
    feeder.feed()
    feeding = Thread(target=feeder.feed)
    feeding.start()
    until(lambda: len(scene.engine.leasing.holder.batches.keys()) == 2, "the second page waits for room")
    brief = [scene.accept("a"), scene.accept("b", priority=Priority.HIGH)]
    found: list[str] = []
    while len(found) < 2:
        feeder.brief.feed(0.0)
        found += notifications(feeder.handoff.take(small=True))
    assert sorted(found) == sorted(brief)
    assert feeding.is_alive()
    assert notifications(feeder.handoff.take()) == [broadcast]
    feeding.join()
    assert notifications(feeder.handoff.take()) == [broadcast]


def test_what_was_in_hand_when_an_operation_failed_is_not_kept(scene: Scene) -> None:
    for moment in count():
        database = Interrupted(scene.database, moment, die)
        engine = scene.worker(database)
        feeder = Feeder(scene, engine)
        scene.accept(*CROWD)
        feeder.handoff.wake()
        with suppress(Killed):
            feeder.feed()
            feeder.feed()
        taken = {page.batch.key for page in feeder.handoff.take()}
        assert engine.leasing.holder.batches.keys() == taken
        if not database.happened:
            break
        for name in ("notifications", "registry", "batches"):
            scene.database[name].delete_many({})
    assert moment > 10
