import pytest

from notify_server.domain.notification import Channel
from notify_server.services.arrival import Selection
from notify_server.services.load import Entered
from notify_server.services.sequencing import Opening
from tests.services.interruption import Interrupted, Killed, die
from tests.services.scene import Scene, claims

LIVE = (Channel.REALTIME,)


def test_a_page_that_was_entered_is_not_announced_again(scene: Scene) -> None:
    notification = scene.accept("a", "b", channels=LIVE)
    [claim] = claims(scene.engine)
    expansion = scene.engine.expansion
    page = expansion._opening(claim.notification)
    assert expansion._sequencing.enter([page]) == [Entered(("a", "b"))]
    assert expansion._sequencing.enter([page]) is None
    list(expansion.loads(claim))  # as whoever takes over would
    assert scene.standing(notification) == dict.fromkeys("ab", ("pending", None))
    assert [batch["sequence"] for batch in scene.batches(notification)] == [1]
    assert scene.state(notification) == "done"


@pytest.mark.parametrize("operation", range(1, 14))
def test_a_death_at_any_operation_announces_each_page_once(scene: Scene, operation: int) -> None:
    """Operations are counted from the claim on."""
    notification = scene.accept("a", "b", channels=LIVE)
    dying = scene.worker(Interrupted(scene.database, operation, die))
    try:
        for load in scene.loads(dying):
            assert not load
    except Killed:
        pass
    scene.clock.forward(60)
    scene.expand()
    assert scene.standing(notification) == dict.fromkeys("ab", ("pending", None))
    assert [(batch["users"], batch["sequence"]) for batch in scene.batches(notification)] == [(["a", "b"], 1)]
    assert scene.state(notification) == "done" or scene.upkeep.reap() is not None
    assert scene.violations(notification) == []


def test_those_who_have_muted_it_are_entered_and_not_numbered(scene: Scene) -> None:
    scene.services.people.put("muted", {})
    scene.database["users"].update_one({"_id": "muted"}, {"$set": {"muted": {"groups": [], "categories": ["news"]}}})
    notification = scene.accept("a", "muted", channels=LIVE, category="news")
    [claim] = claims(scene.engine)
    page = scene.engine.expansion._opening(claim.notification)
    assert page == Opening(Selection(claim.notification, ("a", "muted")), "", page.batches)
    assert scene.engine.expansion._sequencing.enter([page]) == [Entered(("a",))]
    assert "sequence" not in scene.entry(notification, "muted")
    assert scene.entry(notification, "a")["sequence"] == 1
