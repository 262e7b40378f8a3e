from typing import Any

import pytest

from notify_server.bootstrap import build_cancellation
from notify_server.domain.notification import Channel, ResendPolicy
from notify_server.domain.push import Encoded, Sending
from notify_server.domain.registry import Status
from notify_server.errors import Conflict, NotFound
from notify_server.services.cancellation import Cancellation, Cancelled
from notify_server.services.reception import Report
from notify_server.storage.documents import new_id
from tests.builders import after, at_once
from tests.services.interruption import Interrupted, Killed, die
from tests.services.scene import LEASE, Scene

STOPPED = ("cancelled", "cancelled_by_backend")


@pytest.fixture
def cancellation(scene: Scene) -> Cancellation:
    return scene.services.cancellation


class Meanwhile:
    """A transport that does something before it sends."""

    def __init__(self, scene: Scene, action: Any) -> None:
        self._scene, self._action = scene, action

    def encode(self, *given: Any) -> Encoded:
        return self._scene.transport.encode(*given)

    def begin(self, sends: Any) -> Sending:
        self._action()
        return self._scene.transport.begin(sends)

    def close(self) -> None:
        pass


def test_what_waits_to_be_sent_is_stopped_at_once(scene: Scene, cancellation: Cancellation) -> None:
    scene.register("a")
    notification = scene.accept("a", "b")
    scene.expand()
    scene.engine.leasing.resign()
    assert cancellation.cancel(notification) == Cancelled(notification, 2, 0, 0, expanded=True)
    assert scene.standing(notification) == dict.fromkeys("ab", STOPPED)
    assert (scene.state(notification), scene.batches(notification)) == ("cancelled", [])
    scene.work()
    assert scene.accepted() == []
    assert scene.violations(notification) == []


def test_done_again_it_says_what_is_cancelled_in_all(scene: Scene, cancellation: Cancellation) -> None:
    notification = scene.accept("a", "b")
    scene.expand()
    scene.engine.leasing.resign()
    first = cancellation.cancel(notification)
    assert cancellation.cancel(notification) == first
    scene.clock.forward(172_800)
    assert cancellation.cancel(notification) == first


def test_the_outcome_of_what_is_being_sent_stands(scene: Scene, cancellation: Cancellation) -> None:
    scene.register("a")
    notification = scene.accept("a", "deviceless")
    answers: list[Cancelled] = []
    worker = scene.worker(transport=Meanwhile(scene, lambda: answers.append(cancellation.cancel(notification))))
    scene.work(worker)
    assert answers == [Cancelled(notification, 0, 2, 0, expanded=True)]
    assert scene.standing(notification)["a"] == ("sent", None)
    assert scene.accepted() == ["a:phone"]
    assert cancellation.sweep() == 1
    assert scene.standing(notification)["deviceless"] == STOPPED
    assert scene.batches(notification) == []
    assert scene.violations(notification) == []


def test_a_retry_that_is_settled_after_the_cancel_does_not_wait_until_it_is_due(
    scene: Scene, cancellation: Cancellation
) -> None:
    scene.register("a")
    scene.fcm.behave(unavailable=1)
    notification = scene.accept("a")
    scene.work(scene.worker(transport=Meanwhile(scene, lambda: cancellation.cancel(notification))))
    assert scene.standing(notification) == {"a": ("pending", "unavailable")}
    assert len(scene.batches(notification)) == 1
    assert cancellation.sweep() == 1
    assert scene.standing(notification) == {"a": STOPPED}
    assert scene.batches(notification) == []


def test_a_resend_under_way_is_not_taken_for_what_waits(scene: Scene, cancellation: Cancellation) -> None:
    scene.register("a")
    notification = scene.accept("a", "b", resend=ResendPolicy(10, 2))
    scene.work()
    scene.clock.forward(10)
    scene.upkeep.resend()
    answers: list[Cancelled] = []
    scene.work(scene.worker(transport=Meanwhile(scene, lambda: answers.append(cancellation.cancel(notification)))))
    assert answers == [Cancelled(notification, 1, 1, 0, expanded=True)]
    assert scene.standing(notification) == {"a": ("sent", None), "b": STOPPED}
    cancellation.sweep()
    assert scene.batches(notification) == []


def test_nothing_is_sent_again_of_what_is_cancelled(scene: Scene, cancellation: Cancellation) -> None:
    scene.register("a")
    notification = scene.accept("a", "deviceless", resend=ResendPolicy(10, 2))
    scene.work()
    assert scene.state(notification) == "done"
    assert cancellation.cancel(notification) == Cancelled(notification, 1, 0, 0, expanded=True)
    scene.clock.forward(9999)
    assert scene.upkeep.resend() == 0
    scene.work()
    assert scene.accepted() == ["a:phone"]
    assert scene.standing(notification) == {"a": ("sent", None), "deviceless": STOPPED}


def test_the_resends_of_what_has_been_sent_to_everybody_are_stopped(scene: Scene, cancellation: Cancellation) -> None:
    scene.register("a")
    notification = scene.accept("a", resend=ResendPolicy(10, 2))
    scene.work()
    assert scene.state(notification) == "done"
    assert cancellation.cancel(notification) == Cancelled(notification, 0, 0, 0, expanded=True)
    scene.clock.forward(10)
    assert scene.upkeep.resend() == 0
    scene.work()
    assert scene.accepted() == ["a:phone"]
    assert scene.standing(notification) == {"a": ("sent", None)}
    assert (scene.state(notification), scene.batches(notification)) == ("cancelled", [])


def test_a_resend_that_was_recalled_is_stopped_before_a_worker_begins(scene: Scene, cancellation: Cancellation) -> None:
    scene.register("a")
    notification = scene.accept("a", resend=ResendPolicy(10, 1))
    scene.work()
    scene.clock.forward(10)
    assert scene.upkeep.resend() == 1
    assert cancellation.cancel(notification).stopped == 0
    scene.work()
    assert scene.accepted() == ["a:phone"]
    assert scene.batches(notification) == []


def test_a_resend_that_was_asked_for_is_stopped(scene: Scene, cancellation: Cancellation) -> None:
    scene.register("a")
    notification = scene.accept("a", resend=ResendPolicy(times=0))
    scene.work()
    assert scene.services.resending.request(notification, None) == 1
    assert cancellation.cancel(notification).stopped == 0
    scene.services.resending.queue()
    scene.work()
    assert scene.accepted() == ["a:phone"]
    assert scene.database["resends"].count_documents({}) == 0


def test_what_was_sent_stays_so_though_it_was_waiting_to_be_sent_again(
    scene: Scene, cancellation: Cancellation
) -> None:
    scene.register("a")
    notification = scene.accept("a", "deviceless", resend=ResendPolicy(10, 2))
    scene.work()
    scene.clock.forward(10)
    scene.register("who logs in on it", target="a:phone")
    scene.upkeep.resend()
    scene.work()
    assert scene.standing(notification)["a"] == ("pending", "no_device")
    assert cancellation.cancel(notification) == Cancelled(notification, 1, 0, 0, expanded=True)
    entry = scene.entry(notification, "a")
    assert (entry["status"], entry["reason"], entry["inbox"]) == ("sent", None, "unread")
    assert entry["history"][-1]["detail"] == "the backend took it back: not sent again"
    assert scene.violations(notification) == []


def test_a_device_that_is_registered_after_the_cancel_gets_nothing(scene: Scene, cancellation: Cancellation) -> None:
    notification = scene.accept("a")
    scene.work()
    cancellation.cancel(notification)
    scene.register("a")
    scene.work()
    assert scene.accepted() == []
    assert scene.batches(notification) == []


def test_who_was_called_for_a_device_before_the_cancel_gets_nothing_either(
    scene: Scene, cancellation: Cancellation
) -> None:
    notification = scene.accept("a")
    scene.work()
    scene.register("a")
    assert cancellation.cancel(notification).stopped == 1
    scene.work()
    assert scene.accepted() == []
    assert scene.standing(notification) == {"a": STOPPED}
    assert scene.batches(notification) == []


def test_a_scheduled_audience_is_entered_at_once_as_cancelled(scene: Scene, cancellation: Cancellation) -> None:
    notification = scene.accept("a", "b", send_at=after(3600))
    assert cancellation.cancel(notification) == Cancelled(notification, 0, 0, 0, expanded=False)
    scene.work()
    assert scene.standing(notification) == dict.fromkeys("ab", STOPPED)
    assert cancellation.cancel(notification) == Cancelled(notification, 2, 0, 0, expanded=True)
    assert scene.upkeep.release() == 0


def test_an_audience_that_is_half_expanded_is_expanded_to_its_end(scene: Scene, cancellation: Cancellation) -> None:
    users = [f"u{number:04}" for number in range(1200)]
    notification = scene.accept(*users)
    loads = scene.loads()
    load = next(loads)
    answer = cancellation.cancel(notification)
    assert (answer.in_flight, answer.expanded) == (500, False)
    scene.engine.delivery.deliver(load)
    for load in loads:
        scene.engine.delivery.deliver(load)
    assert cancellation.sweep() == 0
    assert cancellation.cancel(notification) == Cancelled(notification, 1200, 0, 0, expanded=True)
    assert scene.database["notifications"].count_documents({"open": True}) == 0
    assert scene.violations(notification) == []


def test_a_page_without_a_cursor_is_left_to_its_expansion(scene: Scene, cancellation: Cancellation) -> None:
    """An expander died between a page's entries and its cursor: the batch still tells who was in the page."""
    scene.services.membership.change("choir", ["a", "b"], [])
    for moment in range(12):
        notification = scene.accept(groups=["choir"])
        dying = scene.worker(Interrupted(scene.database, moment, die))
        try:
            scene.expand(dying)
        except Killed:
            scene.clock.forward(LEASE)
            cancellation.cancel(notification)
            scene.services.membership.change("choir", [], ["b"])
        scene.clock.forward(LEASE)
        scene.work()
        cancellation.sweep()
        standing = scene.standing(notification)
        assert scene.services.inspection.get(notification).recipients == len(standing) > 0
        if scene.state(notification) == "cancelled":
            assert set(standing.values()) == {STOPPED}
            assert scene.batches(notification) == []
        scene.services.membership.change("choir", ["b"], [])


def test_announcements_to_open_sockets_are_withdrawn(scene: Scene, cancellation: Cancellation) -> None:
    notification = scene.accept("a", channels=(Channel.REALTIME,))
    scene.work()
    assert cancellation.cancel(notification).stopped == 1
    assert scene.batches(notification) == []


def test_what_a_dead_worker_holds_is_stopped_when_its_lease_has_run_out(
    scene: Scene, cancellation: Cancellation
) -> None:
    notification = scene.accept("a")
    scene.expand()
    assert cancellation.cancel(notification) == Cancelled(notification, 0, 1, 0, expanded=True)
    scene.clock.forward(LEASE)
    assert cancellation.sweep() == 1
    assert scene.batches(notification) == []
    assert cancellation.sweep() == 0


def test_a_late_receipt_is_taken_of_what_was_cancelled(scene: Scene, cancellation: Cancellation) -> None:
    notification = scene.accept("a")
    scene.work()
    cancellation.cancel(notification)
    assert scene.services.reception.report("a", [Report(notification, Status.RECEIVED)]) == []
    assert scene.standing(notification) == {"a": ("received", None)}


def test_more_than_a_request_can_wait_for_is_left_to_the_scheduler(scene: Scene, cancellation: Cancellation) -> None:
    users = [f"u{number:05}" for number in range(20_700)]
    notification = scene.accept(*users)
    scene.expand()
    scene.engine.leasing.resign()
    assert cancellation.cancel(notification) == Cancelled(notification, 20_000, 0, 700, expanded=True)
    assert cancellation.sweep() == 700
    assert cancellation.cancel(notification) == Cancelled(notification, 20_700, 0, 0, expanded=True)


def test_the_process_may_die_before_any_operation_of_a_cancel(scene: Scene) -> None:
    survived = False
    for moment in range(30):
        scene.register("a")
        notification = scene.accept("a", "b", resend=ResendPolicy(10, 2))
        scene.work()
        interrupted = Interrupted(scene.database, moment, die)
        try:
            build_cancellation(interrupted, scene.clock).cancel(notification)  # type: ignore[arg-type]
        except Killed:
            if scene.state(notification) == "cancelled":
                build_cancellation(scene.database, scene.clock).sweep()
        survived = not interrupted.happened
        if scene.state(notification) == "cancelled":
            assert scene.standing(notification) == {"a": ("sent", None), "b": STOPPED}
            assert scene.batches(notification) == []
            assert scene.database["notifications"].count_documents({"unswept": True}) == 0
    assert survived


def test_of_many_that_cancel_at_once_all_are_told_the_same(scene: Scene, cancellation: Cancellation) -> None:
    notification = scene.accept(*(f"u{number}" for number in range(50)))
    scene.expand()
    scene.engine.leasing.resign()
    at_once(*[lambda: cancellation.cancel(notification)] * 4, cancellation.sweep)
    assert cancellation.cancel(notification) == Cancelled(notification, 50, 0, 0, expanded=True)
    entry = scene.entry(notification, "u1")
    assert [line["status"] for line in entry["history"]] == ["pending", "cancelled"]


class TestRefusals:
    def test_what_is_not_there(self, cancellation: Cancellation) -> None:
        with pytest.raises(NotFound):
            cancellation.cancel(new_id())

    def test_what_has_been_sent_to_everybody(self, scene: Scene, cancellation: Cancellation) -> None:
        scene.register("a")
        notification = scene.accept("a", resend=ResendPolicy(times=0))
        scene.work()
        with pytest.raises(Conflict, match="has been dealt with"):
            cancellation.cancel(notification)
        assert scene.state(notification) == "done"

    def test_what_everybody_has_confirmed_though_a_resend_was_to_come(
        self, scene: Scene, cancellation: Cancellation
    ) -> None:
        scene.register("a")
        notification = scene.accept("a", resend=ResendPolicy(10, 2))
        scene.work()
        scene.services.reception.report("a", [Report(notification, Status.RECEIVED)])
        assert len(scene.batches(notification)) == 1
        with pytest.raises(Conflict, match="has been dealt with"):
            cancellation.cancel(notification)

    def test_what_has_expired(self, scene: Scene, cancellation: Cancellation) -> None:
        notification = scene.accept("a", ttl=10)
        scene.work()
        scene.clock.forward(10)
        with pytest.raises(Conflict, match="time to live"):
            cancellation.cancel(notification)
        scene.upkeep.expire()
        assert scene.standing(notification) == {"a": ("expired", "ttl_over")}
