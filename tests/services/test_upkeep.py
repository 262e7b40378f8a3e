from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from math import inf

from prometheus_client import REGISTRY

from notify_server.bootstrap import build_upkeep
from notify_server.domain.device import Target
from notify_server.domain.notification import Channel, Notification, ResendPolicy
from notify_server.domain.push import Encoded, Sending
from notify_server.storage.paces import Paces
from tests.builders import after, at_once
from tests.services.interruption import Interrupted, Killed, die
from tests.services.scene import LEASE, Scene, claims


def test_a_scheduled_notification_goes_when_its_time_has_come(scene: Scene) -> None:
    scene.register("a")
    notification = scene.accept("a", send_at=after(60))
    assert scene.upkeep.release() == 0
    scene.work()
    assert (scene.state(notification), scene.accepted()) == ("scheduled", [])
    scene.clock.forward(60)
    assert scene.upkeep.release() == 1
    scene.work()
    assert (scene.state(notification), scene.accepted()) == ("done", ["a:phone"])
    assert scene.upkeep.release() == 0


def test_the_next_release_is_waited_for_no_longer_than_to_its_time(scene: Scene) -> None:
    assert scene.upkeep.until_release() == inf
    scene.accept("a", send_at=after(60))
    scene.accept("a", send_at=after(45.5))
    assert scene.upkeep.until_release() == 45.5
    scene.clock.forward(46)
    assert scene.upkeep.until_release() == -0.5
    scene.upkeep.release()
    assert scene.upkeep.until_release() == 14


def test_the_time_to_live_of_a_scheduled_notification_begins_with_its_time(scene: Scene) -> None:
    scene.register("a")
    notification = scene.accept("a", send_at=after(60), ttl=10)
    scene.clock.forward(69)
    scene.upkeep.release()
    scene.work()
    assert scene.standing(notification) == {"a": ("sent", None)}


def test_what_was_released_too_late_expires(scene: Scene) -> None:
    scene.register("a")
    notification = scene.accept("a", "without device", send_at=after(60), ttl=10)
    scene.clock.forward(70)
    assert scene.upkeep.expire() == 0
    scene.upkeep.release()
    scene.work()
    scene.upkeep.expire()
    assert scene.standing(notification) == dict.fromkeys(("a", "without device"), ("expired", "ttl_over"))
    assert scene.accepted() == []
    assert (scene.state(notification), scene.batches(notification)) == ("done", [])
    assert scene.violations(notification) == []


def test_what_waits_while_the_channel_is_paused_expires_in_its_time(scene: Scene) -> None:
    scene.register("a")
    notification = scene.accept("a", ttl=10)
    scene.expand()
    scene.engine.leasing.resign()
    Paces(scene.database).change(Channel.PUSH, lambda pace: replace(pace, paused_until=after(600)))
    scene.engine.governor.refresh()
    assert scene.engine.governor.paused
    scene.clock.forward(10)
    assert scene.upkeep.expire() == 1
    assert scene.standing(notification) == {"a": ("expired", "ttl_over")}
    assert (scene.state(notification), scene.batches(notification)) == ("done", [])


def test_what_is_being_sent_as_its_time_ends_is_sent(scene: Scene) -> None:
    """A batch that is leased has its say first: whom FCM accepted in time must not be told that it expired."""
    scene.register("a")
    notification = scene.accept("a", "without device", ttl=10)
    scene.work(scene.worker(transport=Late(scene)))
    assert scene.standing(notification) == {"a": ("sent", None), "without device": ("pending", "no_device")}
    assert scene.upkeep.expire() == 1
    assert scene.standing(notification)["without device"] == ("expired", "ttl_over")
    assert scene.violations(notification) == []


def test_what_a_dead_worker_holds_expires_when_its_lease_has_run_out(scene: Scene) -> None:
    notification = scene.accept("a", ttl=10)
    scene.expand()
    scene.clock.forward(10)
    assert scene.upkeep.expire() == 0
    scene.clock.forward(LEASE)
    assert scene.upkeep.expire() == 1
    assert scene.standing(notification) == {"a": ("expired", "ttl_over")}


class Late:
    """A transport by which time passes, and a scheduler comes along, before it sends."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def encode(self, notification: Notification, now: datetime) -> Encoded:
        return self._scene.transport.encode(notification, now)

    def begin(self, sends: Sequence[tuple[Encoded, Sequence[Target]]]) -> Sending:
        self._scene.clock.forward(10)
        assert self._scene.upkeep.expire() == 0
        return self._scene.transport.begin(sends)

    def close(self) -> None:
        pass


def test_of_schedulers_that_run_at_once_one_resends_each_batch(scene: Scene) -> None:
    scene.register("a")
    for _ in range(10):
        scene.accept("a", resend=ResendPolicy(10, 1))
    scene.work()
    scene.clock.forward(10)
    rivals = [build_upkeep(scene.config, scene.database, scene.clock)[1] for _ in range(3)]
    assert sum(at_once(*(rival.resend for rival in rivals))) == 10
    scene.work()
    assert len(scene.accepted()) == 20


def test_what_could_not_be_sent_in_time_expires_and_its_batches_go(scene: Scene) -> None:
    scene.register("sent")
    scene.register("busy")
    scene.fcm.behave(prefixes={"busy:": {"unavailable": 1}})
    notification = scene.accept("sent", "busy", "without device", ttl=1000)
    scene.work()
    scene.clock.forward(999)
    assert scene.upkeep.expire() == 0
    scene.clock.forward(1)
    assert scene.upkeep.expire() == 2
    assert scene.standing(notification) == {
        "sent": ("sent", None),
        "busy": ("expired", "ttl_over"),
        "without device": ("expired", "ttl_over"),
    }
    assert scene.batches(notification) == []
    assert scene.state(notification) == "done"
    assert scene.upkeep.expire() == 0
    assert scene.violations(notification) == []


def test_what_was_sent_stays_so_and_in_the_inbox_though_its_resend_finds_no_device_in_time(scene: Scene) -> None:
    scene.register("a")
    notification = scene.accept("a", ttl=1000, resend=ResendPolicy(900, 1))
    scene.work()
    sent_at = scene.entry(notification, "a")["sent_at"]
    scene.clock.forward(900)
    scene.register("who logs in on it", target="a:phone")
    scene.upkeep.resend()
    scene.work()
    assert scene.standing(notification) == {"a": ("pending", "no_device")}
    scene.clock.forward(100)
    assert scene.upkeep.expire() == 0
    entry = scene.entry(notification, "a")
    assert (entry["status"], entry["reason"], entry["inbox"], entry["sent_at"]) == ("sent", None, "unread", sent_at)
    assert entry["history"][-1]["detail"] == "its time to live is over: not sent again"
    assert scene.violations(notification) == []


def test_what_is_not_expanded_yet_is_expanded_before_it_expires(scene: Scene) -> None:
    notification = scene.accept("a", "b", ttl=10)
    scene.clock.forward(10)
    assert scene.upkeep.expire() == 0
    scene.work()
    assert scene.standing(notification) == dict.fromkeys("ab", ("expired", "ttl_over"))
    scene.upkeep.expire()
    assert scene.state(notification) == "done"


def test_a_scheduler_may_die_before_any_operation_of_an_expiry(scene: Scene) -> None:
    for moment in range(9):
        notification = scene.accept("a", "b", ttl=10)
        scene.work()
        scene.clock.forward(10)
        dying = build_upkeep(scene.config, Interrupted(scene.database, moment, die), scene.clock)[1]  # type: ignore[arg-type]
        try:
            dying.expire()
        except Killed:
            scene.upkeep.expire()
        assert scene.standing(notification) == dict.fromkeys("ab", ("expired", "ttl_over"))
        assert scene.upkeep.expire() == 0


def test_leases_of_dead_owners_are_reaped_and_those_of_living_ones_kept(scene: Scene) -> None:
    scene.register("a")
    living, dead = scene.worker(), scene.worker()
    for worker in (living, dead):
        scene.accept("a")
        [claim] = claims(worker)
        next(worker.expansion.loads(claim))
    scene.clock.forward(LEASE - 1)
    living.leasing.renew()
    assert scene.upkeep.reap() == 0
    scene.clock.forward(1)
    assert scene.upkeep.reap() == 1
    assert scene.database["batches"].count_documents({"owner": None}) == 1


def test_an_audience_that_a_dead_owner_left_is_reaped(scene: Scene) -> None:
    scene.accept("a")
    assert claims(scene.worker())
    scene.clock.forward(LEASE)
    assert scene.upkeep.reap() == 1
    assert scene.database["notifications"].count_documents({"owner": None}) == 1


def test_a_notification_whose_owner_died_before_it_said_so_is_done(scene: Scene) -> None:
    notification = scene.accept("a")
    scene.expand()
    scene.database["batches"].delete_many({})
    assert scene.state(notification) == "dispatching"
    scene.upkeep.reap()
    assert scene.state(notification) == "done"


def test_a_notification_that_is_still_dispatched_is_not(scene: Scene) -> None:
    notification = scene.accept("a")
    scene.expand()
    scene.upkeep.reap()
    assert scene.state(notification) == "dispatching"


def test_the_work_is_counted(scene: Scene) -> None:
    names = ("notify_batches_recalled_total", "notify_entries_expired_total")
    before = [REGISTRY.get_sample_value(name) or 0 for name in names]
    scene.register("a")
    scene.accept("a", "without device", ttl=1000)
    scene.work()
    scene.clock.forward(900)
    scene.upkeep.resend()
    scene.clock.forward(100)
    scene.upkeep.expire()
    assert [(REGISTRY.get_sample_value(name) or 0) - then for name, then in zip(names, before, strict=True)] == [1, 1]
