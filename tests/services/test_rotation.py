import pytest

from notify_server.domain.notification import Priority
from notify_server.services.rotation import Rotation
from tests.services.interruption import Interrupted, Killed, die
from tests.services.scene import LEASE, Scene

CROWD = [f"u{number:04}" for number in range(1001)]  # three pages


@pytest.fixture
def rotation(scene: Scene) -> Rotation:
    return Rotation(scene.engine.expansion)


def turns(rotation: Rotation) -> list[str]:
    """The notification of each page that is expanded until none is left."""
    found = []
    while not rotation.idle:
        page = rotation.step()
        if page is not None:
            found.append(page.batch.key.notification)
    return found


def test_nothing_is_expanded_where_nothing_waits(rotation: Rotation) -> None:
    assert not rotation.claim()
    assert rotation.idle
    assert rotation.step() is None


def test_a_short_audience_does_not_wait_for_a_long_one(scene: Scene, rotation: Rotation) -> None:
    long, short = scene.accept(*CROWD), scene.accept("a")
    assert [rotation.claim() for _ in range(3)] == [True, True, False]
    assert turns(rotation) == [long, short, long, long]


def test_high_priority_has_its_turn_first(scene: Scene, rotation: Rotation) -> None:
    normal = scene.accept(*CROWD[:501])
    rotation.claim()
    first = rotation.step()
    assert first is not None
    high = scene.accept(*CROWD[:501], priority=Priority.HIGH)
    rotation.claim()
    assert [first.batch.key.notification, *turns(rotation)] == [normal, high, high, normal]


def test_what_fails_drops_out_and_is_claimed_again_when_its_lease_has_run_out(scene: Scene) -> None:
    failing = Rotation(scene.worker(Interrupted(scene.database, 3, die)).expansion)
    notification, other = scene.accept("a"), scene.accept("b")
    failing.claim()
    with pytest.raises(Killed):
        failing.step()
    assert failing.idle
    assert failing.claim()
    assert turns(failing) == [other]
    assert not failing.claim()
    scene.clock.forward(LEASE)
    assert failing.claim()
    assert turns(failing) == [notification]
