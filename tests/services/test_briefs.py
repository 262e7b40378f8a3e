import pytest

from notify_server.domain.batch import SIZE
from notify_server.domain.notification import Channel, Priority
from notify_server.services.briefs import Briefs
from tests.services.interruption import Interrupted, Killed, die
from tests.services.scene import LEASE, Scene, claims

CROWD = [f"u{number:04}" for number in range(501)]  # more than a page


@pytest.fixture
def briefs(scene: Scene) -> Briefs:
    return Briefs(scene.engine.expansion)


def turns(briefs: Briefs) -> list[list[str]]:
    """The notifications of each load that is expanded until none is left."""
    found = []
    while not briefs.idle:
        load = briefs.step()
        if load:
            found.append([page.batch.key.notification for page in load])
    return found


def test_nothing_is_expanded_where_nothing_waits(briefs: Briefs) -> None:
    assert not briefs.claim()
    assert briefs.idle
    assert not briefs.step()


def test_a_large_audience_is_left_to_others(scene: Scene, briefs: Briefs) -> None:
    large, short = scene.accept(*CROWD), scene.accept("a")
    assert [bool(briefs.claim()) for _ in range(2)] == [True, False]
    assert turns(briefs) == [[short]]
    assert [claim.notification.id for claim in claims(scene.worker())] == [large]


def test_brief_audiences_that_are_few_are_expanded_together_the_urgent_ones_first(scene: Scene, briefs: Briefs) -> None:
    normal = [scene.accept(user) for user in "abc"]
    high = [scene.accept(user, priority=Priority.HIGH) for user in "ab"]
    assert briefs.claim()
    assert turns(briefs) == [[*high, *normal]]


def test_where_they_are_many_those_of_one_priority_are_expanded_together(scene: Scene, briefs: Briefs) -> None:
    normal = [scene.accept(*CROWD[:25]) for _ in range(2)]
    high = scene.accept("a", priority=Priority.HIGH)
    assert briefs.claim()
    assert turns(briefs) == [[high], normal]


def test_brief_audiences_that_come_one_by_one_are_expanded_together_all_the_same(scene: Scene, briefs: Briefs) -> None:
    accepted = []
    for user in "abc":
        accepted.append(scene.accept(user))
        assert briefs.claim()
    assert turns(briefs) == [accepted]


def test_brief_audiences_wait_for_each_other_up_to_a_hundred(scene: Scene, briefs: Briefs) -> None:
    accepted = [scene.accept("a") for _ in range(101)]
    assert [bool(briefs.claim()) for _ in range(2)] == [True, False]
    assert turns(briefs) == [accepted[:100]]
    assert briefs.claim()


def test_a_stream_of_urgent_ones_does_not_starve_the_others(scene: Scene, briefs: Briefs) -> None:
    normal = [scene.accept("a") for _ in range(150)]
    briefs.claim()
    served, urgent = [], []
    while len(served) < 10:
        urgent.append(scene.accept("a", priority=Priority.HIGH))
        briefs.claim()
        if load := briefs.step():
            served.append([page.batch.key.notification for page in load])
    expanded = {notification for load in served for notification in load}
    assert set(normal) < expanded
    assert set(urgent[:-6]) < expanded


def test_what_waits_of_one_rank_takes_no_room_of_another(scene: Scene, briefs: Briefs) -> None:
    for _ in range(100):
        scene.accept("a")
    briefs.claim()
    urgent = [scene.accept("a", priority=Priority.HIGH) for _ in range(30)]
    briefs.claim()
    assert [page.batch.key.notification for page in briefs.step()] == urgent


def test_brief_audiences_that_are_more_than_a_page_are_expanded_in_turns(scene: Scene, briefs: Briefs) -> None:
    sizes = (300, SIZE - 300, 1, 499, 1)
    accepted = [scene.accept(*CROWD[:size]) for size in sizes]
    assert briefs.claim()
    assert turns(briefs) == [accepted[:2], accepted[2:4], accepted[4:]]


def test_what_was_claimed_before_a_look_that_failed_is_expanded(scene: Scene) -> None:
    briefs = Briefs(scene.worker(Interrupted(scene.database, 4, die)).expansion)  # the third look
    first = scene.accept("a")
    assert briefs.claim() == 1
    high, second = scene.accept("a", priority=Priority.HIGH), scene.accept("a")
    with pytest.raises(Killed):
        briefs.claim()
    assert turns(briefs) == [[high, first]]
    assert briefs.claim() == 1
    assert turns(briefs) == [[second]]


def test_brief_audiences_of_which_nothing_is_for_push_make_no_load(scene: Scene, briefs: Briefs) -> None:
    notification = scene.accept("a", channels=(Channel.REALTIME,))
    assert briefs.claim()
    assert turns(briefs) == []
    assert scene.state(notification) == "done"


def test_brief_audiences_that_fail_together_are_all_claimed_again(scene: Scene) -> None:
    worker = scene.worker(Interrupted(scene.database, 5, die))
    failing = Briefs(worker.expansion)
    accepted = [scene.accept(user) for user in "ab"]
    failing.claim()
    with pytest.raises(Killed):
        failing.step()
    assert failing.idle
    assert not failing.claim()
    scene.clock.forward(LEASE)
    assert failing.claim()
    assert turns(failing) == []  # there are batches already, which have come due meanwhile
    assert [page.batch.key.notification for page in worker.leasing.take()] == accepted
    assert failing.idle
