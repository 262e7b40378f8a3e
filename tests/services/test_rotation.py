import pytest

from notify_server.domain.notification import Channel, Priority
from notify_server.services.rotation import Rotation
from tests.services.interruption import Interrupted, Killed, die
from tests.services.scene import LEASE, Scene, claims

CROWD = [f"u{number:04}" for number in range(1001)]  # three pages


@pytest.fixture
def rotation(scene: Scene) -> Rotation:
    return Rotation(scene.engine.expansion)


def turns(rotation: Rotation) -> list[list[str]]:
    """The notifications of each load that is expanded until none is left."""
    found = []
    while not rotation.idle:
        load = rotation.step()
        if load:
            found.append([page.batch.key.notification for page in load])
    return found


def test_nothing_is_expanded_where_nothing_waits(rotation: Rotation) -> None:
    assert not rotation.claim()
    assert rotation.idle
    assert not rotation.step()


def test_it_is_not_idle_while_a_page_is_expanded(scene: Scene) -> None:
    idle = list[bool]()
    rotation = Rotation(scene.worker(Interrupted(scene.database, 4, lambda: idle.append(rotation.idle))).expansion)
    scene.accept(*CROWD)
    assert rotation.claim()
    assert rotation.step()
    assert idle == [False]


def test_a_page_with_nothing_for_push_is_a_turn_too(scene: Scene, rotation: Rotation) -> None:
    scene.accept(*CROWD, channels=(Channel.EMAIL,))
    assert rotation.claim()
    assert [rotation.step() for _ in range(3)] == [()] * 3
    assert not rotation.idle
    pushed = scene.accept(*CROWD[:501], priority=Priority.HIGH)
    assert rotation.claim()
    assert turns(rotation) == [[pushed]] * 2
    assert rotation.step() is None


def test_what_is_brief_is_left_to_others(scene: Scene, rotation: Rotation) -> None:
    long = scene.accept(*CROWD)
    short = scene.accept("a")
    assert rotation.claim()
    assert turns(rotation) == [[long]] * 3
    assert [claim.notification.id for claim in claims(scene.worker())] == [short]


def test_high_priority_has_its_turn_first(scene: Scene, rotation: Rotation) -> None:
    normal = scene.accept(*CROWD[:501])
    rotation.claim()
    [first] = rotation.step()
    high = scene.accept(*CROWD[:501], priority=Priority.HIGH)
    rotation.claim()
    assert [[first.batch.key.notification], *turns(rotation)] == [[normal], [high], [high], [normal]]


def test_long_audiences_of_one_rank_take_turns(scene: Scene, rotation: Rotation) -> None:
    one, other = (scene.accept(*CROWD[:501]) for _ in range(2))
    assert rotation.claim()
    assert turns(rotation) == [[one], [other], [one], [other]]


def test_large_audiences_beyond_four_of_a_rank_stay_for_other_workers(scene: Scene, rotation: Rotation) -> None:
    normal = [scene.accept(*CROWD[:501]) for _ in range(5)]
    assert [bool(rotation.claim()) for _ in range(2)] == [True, False]
    high = scene.accept(*CROWD[:501], priority=Priority.HIGH)
    assert [bool(rotation.claim()) for _ in range(2)] == [True, False]
    assert turns(rotation)[:2] == [[high], [high]]
    assert [claim.notification.id for claim in claims(scene.worker())] == normal[4:]


def test_what_fails_drops_out_and_is_claimed_again_when_its_lease_has_run_out(scene: Scene) -> None:
    worker = scene.worker(Interrupted(scene.database, 4, die))
    failing = Rotation(worker.expansion)
    notification, other = (scene.accept(*CROWD[:501]) for _ in range(2))
    failing.claim()
    with pytest.raises(Killed):
        failing.step()
    assert turns(failing) == [[other], [other]]
    assert failing.idle
    assert not failing.claim()
    scene.clock.forward(LEASE)
    assert failing.claim()
    assert turns(failing) == [[notification]]
    [left, *_] = worker.leasing.take()  # its first page had a batch, which came due
    assert (left.batch.key.notification, left.batch.key.page) == (notification, "")
