import pytest

from notify_server.bootstrap import build_upkeep
from notify_server.services.leadership import Leadership
from tests.builders import at_once
from tests.services.scene import LEASE, Scene


@pytest.fixture
def rivals(scene: Scene) -> list[Leadership]:
    """Two schedulers."""
    return [build_upkeep(scene.config, scene.database, scene.clock)[0] for _ in range(2)]


def test_one_leads_for_as_long_as_it_asks(scene: Scene, rivals: list[Leadership]) -> None:
    leader, other = rivals
    for _ in range(5):
        assert leader.held()
        assert not other.held()
        scene.clock.forward(LEASE - 1)


def test_another_leads_when_the_leader_has_died(scene: Scene, rivals: list[Leadership]) -> None:
    leader, other = rivals
    assert leader.held()
    scene.clock.forward(LEASE)
    assert other.held()
    assert not leader.held()


def test_another_leads_at_once_when_the_leader_resigns(rivals: list[Leadership]) -> None:
    leader, other = rivals
    assert leader.held()
    other.resign()
    assert not other.held()
    leader.resign()
    assert other.held()


def test_of_many_that_start_at_once_one_leads(scene: Scene) -> None:
    many = [build_upkeep(scene.config, scene.database, scene.clock)[0] for _ in range(5)]
    assert sum(at_once(*(one.held for one in many))) == 1
