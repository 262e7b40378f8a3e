"""Workers that are stopped, or stand still: SIGTERM drains, and a lease runs out under one that is suspended."""

from time import sleep

import pytest
from bson import ObjectId

from tests.faults.conftest import SOME
from tests.faults.scene import SLOW, Scene
from tests.faults.test_worker_killed import IN_FLIGHT
from tests.service import Process, until

LONG = 600.0  # seconds: whoever had to wait for such a lease to run out would never come to an end
STALL = 1.5  # seconds that FCM keeps its answers back


def await_middle(scene: Scene, notification: str) -> None:
    until(lambda: scene.count(notification, status="sent") > 0, "something is sent")
    assert scene.count(notification, status="pending") > 0


def suspended_in_the_middle(scene: Scene) -> tuple[Process, str]:
    """A worker that stands still while it dispatches, and the notification."""
    scene.fcm.behave(latency=SLOW)
    worker = scene.service.start("worker")
    notification = scene.accept(groups=["some"])
    await_middle(scene, notification)
    worker.pause()
    return worker, notification


def test_sigterm_loses_nothing_sends_nothing_twice_and_gives_every_lease_back(make_scene, people):
    scene = make_scene(lease=LONG)
    scene.fcm.behave(latency=SLOW)
    worker = scene.service.start("worker")
    notification = scene.accept(groups=["some"])
    await_middle(scene, notification)
    scene.begin()
    assert worker.stop() == 0
    assert "worker stopping" in worker.events()
    assert 0 < scene.count(notification, status="sent") < SOME or not scene.notification(notification)["expanded"]
    assert scene.database.batches.count_documents({"owner": {"$ne": None}}) == 0
    assert scene.notification(notification)["owner"] is None
    scene.service.start("worker")
    scene.await_done(notification)
    evidence = scene.sent_to_all("worker stopped with SIGTERM", notification, people[:SOME])
    assert evidence.duplicates == 0


@pytest.mark.full
def test_a_slow_drain_keeps_its_leases(make_scene, people):
    """Its last answers take longer than a lease, and another worker waits for just such leases."""
    scene = make_scene(lease=0.5)
    scene.fcm.behave(stall_after=1.0, stall_seconds=STALL)
    worker = scene.service.start("worker")
    notification = scene.accept(users=people[:100])
    until(lambda: scene.fcm.counts()["accepted"] == 100, "FCM has all, and has answered none")
    worker.terminate()
    scene.begin()
    scene.service.start("worker").ready("worker started")
    scene.await_done(notification)
    assert worker.wait() == 0
    within = STALL + 2 * scene.service.config.lease  # nothing can be written before FCM answers
    evidence = scene.sent_to_all("worker stopped while FCM is slow", notification, people[:100], within=within)
    assert evidence.duplicates == 0


def test_a_worker_suspended_beyond_its_lease_finds_its_work_done(make_scene, people):
    scene = make_scene(lease=1.0)
    suspended, notification = suspended_in_the_middle(scene)
    scene.begin()
    scene.service.start("worker")
    scene.await_done(notification)
    assert scene.count(notification, status="sent") == SOME
    suspended.resume()
    until(lambda: {"batch lease lost", "batch leases lost"}.intersection(suspended.events()), "it notices")
    assert suspended.stop() == 0
    evidence = scene.sent_to_all("worker suspended beyond its lease", notification, people[:SOME])
    assert evidence.duplicates <= IN_FLIGHT
    assert scene.database.batches.count_documents({"_id.n": ObjectId(notification), "stage": "dispatch"}) == 0


def test_a_lone_worker_suspended_beyond_its_lease_goes_on_with_what_it_has_in_hand(make_scene, people):
    """All its leases have run out, and its threads find in the queue what others of them have."""
    scene = make_scene(lease=1.0)
    suspended, notification = suspended_in_the_middle(scene)
    sleep(1.5 * scene.service.config.lease)
    scene.begin()
    suspended.resume()
    scene.await_done(notification)
    evidence = scene.sent_to_all("lone worker suspended beyond its lease", notification, people[:SOME], window=0)
    assert evidence.duplicates == 0
    assert suspended.stop() == 0
