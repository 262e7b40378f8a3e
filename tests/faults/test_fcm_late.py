"""FCM takes its time with a few answers: nobody waits for them but who is meant, and no crash or stop costs more."""

import signal

import pytest

from tests.faults.scene import WINDOW, Scene, names
from tests.service import Process, until

STALL = 8.0  # seconds: longer than everything else takes together
FEW = names(2000)
LATE = FEW[7::100]


@pytest.fixture(autouse=True)
def late(scene: Scene) -> None:
    """FCM accepts what those of LATE get, and says so late."""
    scene.fcm.behave(prefixes={user: {"stall_after": 1.0, "stall_seconds": STALL} for user in LATE})


def await_others(scene: Scene, notification: str) -> None:
    """Wait until the rest of the FEW is settled; by then FCM has not answered for all of LATE."""
    others = {"status": "sent", "_id.u": {"$nin": LATE}}

    def settled() -> bool:
        return scene.count(notification, **others) == len(FEW) - len(LATE)

    until(settled, "all others are settled")
    assert scene.count(notification, status="pending") > 0


def a_worker(scene: Scene) -> Process:
    """Its leases run out long before the late answers come."""
    scene.service.start("scheduler")
    return scene.service.start("worker").ready("worker started")


def test_late_answers_hold_nobody_else_up_and_are_not_asked_for_again(scene, people):
    a_worker(scene)
    scene.begin()
    notification = scene.accept(users=FEW)
    await_others(scene, notification)
    scene.await_done(notification)
    evidence = scene.sent_to_all("FCM late with one of a hundred", notification, FEW, window=0, within=STALL + 1)
    assert evidence.duplicates == 0


def test_a_worker_that_dies_with_late_answers_sends_twice_to_those_at_most(scene, people):
    notification = scene.accept(users=FEW)
    worker = a_worker(scene)
    await_others(scene, notification)
    worker.kill()
    scene.begin()
    scene.fcm.behave()
    scene.service.start("worker")
    scene.await_done(notification)
    evidence = scene.sent_to_all("worker killed with late answers", notification, FEW, window=len(LATE))
    assert 0 < evidence.duplicates <= len(LATE)


@pytest.mark.full
def test_a_worker_that_dies_as_it_leaves_them_behind_loses_nobody(scene, people):
    notification = scene.accept(users=FEW)
    victim = scene.service.start("worker", failpoint="delivery.late")
    until(lambda: "failpoint reached" in victim.events(), "it reaches its failpoint")
    assert victim.wait() == -signal.SIGKILL
    scene.begin()
    scene.fcm.behave()
    scene.service.start("scheduler")
    scene.service.start("worker")
    scene.await_done(notification)
    evidence = scene.sent_to_all("worker killed at delivery.late", notification, FEW, window=WINDOW)
    assert evidence.duplicates <= WINDOW


@pytest.mark.full
def test_a_worker_that_stops_waits_for_them(scene, people):
    notification = scene.accept(users=FEW)
    worker = a_worker(scene)
    await_others(scene, notification)
    scene.begin()
    assert worker.stop() == 0
    assert scene.count(notification, status="sent") == len(FEW)
    assert scene.database.batches.count_documents({"owner": {"$ne": None}}) == 0
    until(lambda: scene.done(notification), "it is done")
    evidence = scene.sent_to_all("worker stopped with late answers", notification, FEW, window=0, within=STALL + 1)
    assert evidence.duplicates == 0
