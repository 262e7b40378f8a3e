import pytest

from notify_server.domain.batch import SIZE
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


def test_a_short_audience_does_not_wait_for_a_long_one(scene: Scene, rotation: Rotation) -> None:
    long = scene.accept(*CROWD)
    assert rotation.claim()
    first = rotation.step()
    short = scene.accept("a")
    assert [rotation.claim() for _ in range(2)] == [True, False]
    assert [[page.batch.key.notification for page in first], *turns(rotation)] == [[long], [short], [long], [long]]


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
    assert [rotation.claim() for _ in range(2)] == [True, False]
    high, short = scene.accept(*CROWD[:501], priority=Priority.HIGH), scene.accept("a")
    assert [rotation.claim() for _ in range(2)] == [True, False]
    assert turns(rotation)[:3] == [[short], [high], [high]]
    assert [claim.notification.id for claim in claims(scene.worker())] == normal[4:]


def test_brief_audiences_of_one_priority_are_expanded_together(scene: Scene, rotation: Rotation) -> None:
    normal = [scene.accept(user) for user in "abc"]
    high = [scene.accept(user, priority=Priority.HIGH) for user in "ab"]
    assert rotation.claim()
    assert turns(rotation) == [high, normal]


def test_brief_audiences_that_come_one_by_one_are_expanded_together_all_the_same(
    scene: Scene, rotation: Rotation
) -> None:
    accepted = []
    for user in "abc":
        accepted.append(scene.accept(user))
        assert rotation.claim()
    assert turns(rotation) == [accepted]


def test_brief_audiences_wait_for_each_other_up_to_a_hundred(scene: Scene, rotation: Rotation) -> None:
    accepted = [scene.accept("a") for _ in range(101)]
    assert [rotation.claim() for _ in range(2)] == [True, False]
    assert turns(rotation) == [accepted[:100]]
    assert rotation.claim()


def test_a_stream_of_brief_audiences_takes_turns_with_the_large_ones(scene: Scene, rotation: Rotation) -> None:
    large = scene.accept(*CROWD)
    rotation.claim()
    served = []
    for _ in range(20):
        scene.accept("a")
        rotation.claim()
        while not (load := rotation.step()):
            pass
        served.append(load[0].batch.key.notification)
    assert [notification == large for notification in served[:6]] == [False, True] * 3


def test_a_stream_of_urgent_brief_audiences_does_not_starve_the_others(scene: Scene, rotation: Rotation) -> None:
    large, normal = scene.accept(*CROWD), [scene.accept("a") for _ in range(150)]
    rotation.claim()
    served, urgent = [], []
    while len(served) < 20:
        urgent.append(scene.accept("a", priority=Priority.HIGH))
        rotation.claim()
        if load := rotation.step():
            served.append([page.batch.key.notification for page in load])
    expanded = {notification for load in served for notification in load}
    assert {large, *normal} < expanded
    assert set(urgent[:-6]) < expanded


def test_what_waits_of_one_rank_takes_no_room_of_another(scene: Scene, rotation: Rotation) -> None:
    for _ in range(100):
        scene.accept("a")
    rotation.claim()
    urgent = [scene.accept("a", priority=Priority.HIGH) for _ in range(30)]
    rotation.claim()
    assert [page.batch.key.notification for page in rotation.step()] == urgent


def test_brief_audiences_that_are_more_than_a_page_are_expanded_in_turns(scene: Scene, rotation: Rotation) -> None:
    sizes = (300, SIZE - 300, 1, 499, 1)
    accepted = [scene.accept(*CROWD[:size]) for size in sizes]
    assert rotation.claim()
    assert turns(rotation) == [accepted[:2], accepted[2:4], accepted[4:]]


def test_brief_audiences_of_which_nothing_is_for_push_make_no_load(scene: Scene, rotation: Rotation) -> None:
    notification = scene.accept("a", channels=(Channel.REALTIME,))
    assert rotation.claim()
    assert turns(rotation) == []
    assert scene.state(notification) == "done"


def test_what_fails_drops_out_and_is_claimed_again_when_its_lease_has_run_out(scene: Scene) -> None:
    failing = Rotation(scene.worker(Interrupted(scene.database, 4, die)).expansion)
    notification, other = (scene.accept(*CROWD[:501]) for _ in range(2))
    failing.claim()
    with pytest.raises(Killed):
        failing.step()
    assert turns(failing) == [[other], [other]]
    assert failing.idle
    assert not failing.claim()
    scene.clock.forward(LEASE)
    assert failing.claim()
    assert turns(failing) == [[notification], [notification]]


def test_brief_audiences_that_fail_together_are_all_claimed_again(scene: Scene) -> None:
    failing = Rotation(scene.worker(Interrupted(scene.database, 5, die)).expansion)
    accepted = [scene.accept(user) for user in "ab"]
    failing.claim()
    with pytest.raises(Killed):
        failing.step()
    assert failing.idle
    assert not failing.claim()
    scene.clock.forward(LEASE)
    assert failing.claim()
    assert turns(failing) == [[notification] for notification in accepted]  # not together: there are batches already
    assert failing.idle
