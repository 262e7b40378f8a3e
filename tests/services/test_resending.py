from collections.abc import Sequence
from contextlib import suppress
from itertools import count

import pytest
from bson import json_util

from notify_server.bootstrap import build_resending
from notify_server.domain.batch import Batch
from notify_server.domain.notification import Channel, Priority, ResendPolicy
from notify_server.domain.registry import Status
from notify_server.errors import Conflict, NotFound
from notify_server.services.reception import Report
from notify_server.services.resending import Resending
from notify_server.storage.batches import Batches
from notify_server.storage.documents import new_id
from tests.builders import after, at_once
from tests.services.interruption import Interrupted, Killed, die
from tests.services.scene import Scene

NEVER = ResendPolicy(times=0)
MANY = [f"u{number:04}" for number in range(1_200)]


@pytest.fixture
def resending(scene: Scene) -> Resending:
    return scene.services.resending


@pytest.fixture
def people(scene: Scene) -> Scene:
    for user in "abc":
        scene.register(user)
    return scene


def delivered(scene: Scene, *users: str, policy: ResendPolicy = NEVER) -> str:
    """A notification that was sent to `users` a second ago."""
    notification = scene.accept(*users, resend=policy)
    scene.work()
    scene.clock.forward(1)
    scene.fcm.clear()
    return notification


def register_all(scene: Scene, users: Sequence[str]) -> None:
    """What registering each would leave, written at once."""
    first, others = users[0], users[1:]
    scene.register(first)
    for name in ("users", "devices"):
        documents = [json_util.dumps(document) for document in scene.database[name].find()]
        copies = [json_util.loads(each.replace(first, user)) for user in others for each in documents]
        scene.database[name].insert_many(copies)


def queue(scene: Scene) -> None:
    """Let a scheduler and a worker do what there is to do."""
    while scene.services.resending.queue():
        scene.work()


def places(scene: Scene, notification: str) -> list[str]:
    """The users in the batches of a notification, one for each batch that they are in."""
    return sorted(user for batch in scene.batches(notification) for user in batch["users"])


@pytest.mark.parametrize("policy", [NEVER, ResendPolicy(10, 2)], ids=["no resends", "resends"])
def test_who_has_not_confirmed_it_is_sent_it_again(people: Scene, resending: Resending, policy: ResendPolicy) -> None:
    notification = delivered(people, "a", "b", "c", "deviceless", policy=policy)
    people.services.reception.report("b", [Report(notification, Status.RECEIVED)])
    assert resending.request(notification, None) == 2
    assert people.accepted() == []
    queue(people)
    assert sorted(people.accepted()) == ["a:phone", "c:phone"]
    entry = people.entry(notification, "a")
    assert (entry["status"], entry["attempts"], entry["resends"]) == ("sent", 2, 1)
    assert [line["status"] for line in entry["history"]] == ["pending", "sent", "pending", "sent"]
    assert people.standing(notification)["b"] == ("received", None)
    assert people.violations(notification) == []


def test_it_is_sent_again_as_often_as_it_is_asked_for(people: Scene, resending: Resending) -> None:
    notification = delivered(people, "a", policy=ResendPolicy(10, 1))
    for times in (1, 2, 3):
        assert resending.request(notification, None) == 1
        queue(people)
        people.clock.forward(1)
        assert people.accepted() == ["a:phone"] * times
        assert people.entry(notification, "a")["resends"] == times
    assert people.batches(notification) == []
    assert people.violations(notification) == []


def test_it_is_narrowed_to_some(people: Scene, resending: Resending) -> None:
    notification = delivered(people, "a", "b", "c", policy=ResendPolicy(10, 2))
    assert resending.request(notification, ["b", "c", "c", "stranger"]) == 2
    queue(people)
    assert sorted(people.accepted()) == ["b:phone", "c:phone"]
    assert places(people, notification) == ["a", "b", "c"]
    people.clock.forward(100)
    people.upkeep.resend()
    people.work()
    assert [people.entry(notification, user)["resends"] for user in "abc"] == [1, 2, 2]
    assert people.violations(notification) == []


def test_asked_twice_in_a_row_it_is_sent_again_once(people: Scene, resending: Resending) -> None:
    notification = delivered(people, "a", "b", policy=ResendPolicy(10, 2))
    assert [resending.request(notification, None) for _ in range(2)] == [2, 2]
    assert resending.queue() == 2
    assert resending.request(notification, None) == 2
    assert resending.request(notification, ["a"]) == 1
    queue(people)
    people.work()
    assert sorted(people.accepted()) == ["a:phone", "b:phone"]
    assert resending.queue() == 0
    assert people.database["resends"].count_documents({}) == 0


def test_what_was_sent_after_the_request_is_not_sent_again(people: Scene, resending: Resending) -> None:
    notification = delivered(people, "a", "b", policy=ResendPolicy(1, 2))
    resending.request(notification, None)
    people.clock.forward(1)
    people.upkeep.resend()
    people.work()
    queue(people)
    assert sorted(people.accepted()) == ["a:phone", "b:phone"]
    assert people.violations(notification) == []


def test_a_recall_and_a_request_at_once_send_it_once(people: Scene, resending: Resending) -> None:
    for _ in range(5):
        notification = delivered(people, "a", "b", "c", policy=ResendPolicy(1, 1))
        resending.request(notification, ["a", "b"])
        at_once(people.upkeep.resend, resending.queue, build_resending(people.database, people.clock).queue)
        people.work()
        queue(people)
        assert {"a:phone", "b:phone"} <= set(people.accepted())
        assert len(people.accepted()) == len(set(people.accepted()))
        assert people.violations(notification) == []


def test_a_large_one_is_queued_in_pages_behind_what_is_small(scene: Scene, resending: Resending) -> None:
    register_all(scene, MANY)
    notification = delivered(scene, *MANY)
    assert resending.request(notification, None) == len(MANY)
    assert resending.queue() == len(MANY)
    assert [len(batch["users"]) for batch in scene.batches(notification)] == [500, 500, 200]
    assert {batch["rank"] for batch in scene.batches(notification)} == {3}
    scene.work()
    assert sorted(scene.accepted()) == [f"{user}:phone" for user in MANY]
    assert scene.violations(notification) == []


def test_no_more_is_queued_than_workers_have_use_for(people: Scene, resending: Resending) -> None:
    notification = delivered(people, "a")
    for number in range(100):
        Batches(people.database).add(Batch.awaited(notification, f"u{number}", after(0)))
    resending.request(notification, None)
    assert resending.queue() == 0
    people.database["batches"].delete_one({})
    assert resending.queue() == 1


def test_a_small_one_of_high_priority_goes_first(people: Scene, resending: Resending) -> None:
    notification = people.accept("a", resend=NEVER, priority=Priority.HIGH)
    people.work()
    resending.request(notification, None)
    resending.queue()
    [batch] = people.batches(notification)
    assert batch["rank"] == 0


def test_the_scheduler_may_die_before_any_operation(people: Scene, resending: Resending) -> None:
    survived = 0  # in a row: asked for everyone, and for some
    for moment in count():
        notification = delivered(people, "a", "b", "c", policy=ResendPolicy(10, 2))
        resending.request(notification, None if moment % 2 else ["a", "b", "c"])
        dying = Interrupted(people.database, moment // 2, die)
        with suppress(Killed):
            build_resending(dying, people.clock).queue()  # type: ignore[arg-type]
        survived = 0 if dying.happened else survived + 1
        queue(people)
        people.work()
        assert sorted(people.accepted()) == ["a:phone", "b:phone", "c:phone"]
        assert people.violations(notification) == []
        if survived == 2:
            break
    assert moment > 20


def test_of_two_schedulers_at_once_no_more_is_queued_than_by_one(people: Scene, resending: Resending) -> None:
    for _ in range(5):
        notification = delivered(people, "a", "b", "c")
        resending.request(notification, None)
        resending.request(notification, ["a", "b"])
        rivals = [build_resending(people.database, people.clock).queue for _ in range(3)]
        at_once(*rivals)
        assert places(people, notification) == ["a", "b", "c"]
        people.work()
        assert sorted(people.accepted()) == ["a:phone", "b:phone", "c:phone"]


def test_nothing_is_queued_of_what_was_cancelled_or_ended_meanwhile(people: Scene, resending: Resending) -> None:
    cancelled, expired = delivered(people, "a", "deviceless"), people.accept("b", ttl=10, resend=NEVER)
    people.work()
    for notification in (cancelled, expired):
        assert resending.request(notification, None) == 1
    people.services.cancellation.cancel(cancelled)
    people.clock.forward(10)
    people.fcm.clear()
    queue(people)
    people.work()
    assert people.accepted() == []
    assert people.database["resends"].count_documents({}) == 0


def test_where_nobody_stands_at_sent_nothing_is_asked_for(people: Scene, resending: Resending) -> None:
    notification = people.accept("deviceless")
    people.work()
    assert resending.request(notification, None) == 0
    assert resending.request(notification, ["stranger"]) == 0
    assert people.database["resends"].count_documents({}) == 0


class TestRefusals:
    def test_what_is_not_there(self, resending: Resending) -> None:
        with pytest.raises(NotFound):
            resending.request(new_id(), None)

    def test_what_is_cancelled(self, people: Scene, resending: Resending) -> None:
        notification = delivered(people, "a", "deviceless")
        people.services.cancellation.cancel(notification)
        with pytest.raises(Conflict, match="cancelled"):
            resending.request(notification, None)

    def test_what_has_expired(self, people: Scene, resending: Resending) -> None:
        notification = people.accept("a", ttl=10)
        people.work()
        people.clock.forward(10)
        with pytest.raises(Conflict, match="time to live"):
            resending.request(notification, None)

    def test_what_is_scheduled(self, people: Scene, resending: Resending) -> None:
        notification = people.accept("a", send_at=after(60))
        with pytest.raises(Conflict, match="scheduled"):
            resending.request(notification, None)

    def test_what_does_not_go_by_push(self, people: Scene, resending: Resending) -> None:
        notification = people.accept("a", channels=(Channel.REALTIME,))
        with pytest.raises(Conflict, match="push"):
            resending.request(notification, None)
