"""kill -9 of a worker, at the worst moments: nobody is lost, and no more is sent twice than was in flight."""

import time
from itertools import cycle

import pytest

from notify_server.config import Config
from tests.faults.conftest import SOME
from tests.faults.scene import BATCH, SLOW, SLOWER, Scene
from tests.service import until

IN_FLIGHT = Config.worker_threads * BATCH  # each thread sends one batch at a time
MOMENTS = (0.3, 0.1, 0.5, 0.2)  # seconds from a start to a kill


def unwritten(scene: Scene, notification: str) -> set[str]:
    """Whom FCM has accepted though the dead worker had not written it down."""
    before, accepted = -1, 0
    while before != accepted:  # what it had sent may still arrive
        time.sleep(SLOWER["max"] + 0.1)
        before, accepted = accepted, scene.fcm.counts()["accepted"]
    evidence = scene.evidence(notification)
    return evidence.reached.difference(evidence.having("sent"))


def test_a_worker_killed_in_mid_expansion_leaves_nobody_out(scene, people):
    scene.fcm.behave(latency=SLOWER)  # expansion waits for room
    worker = scene.service.start("worker")
    notification = scene.accept(groups=["all"])
    until(lambda: scene.count(notification, status="sent") > 0, "some pages are expanded and sent")
    worker.kill()
    scene.begin()
    begun = scene.notification(notification)
    assert begun["cursor"] == people[begun["recipients"] - 1]
    assert not begun["expanded"]
    in_flight = unwritten(scene, notification)
    scene.fcm.behave()
    worker.start()
    scene.await_done(notification)
    evidence = scene.sent_to_all("worker killed in mid-expansion", notification, people)
    assert evidence.duplicates == len(in_flight) <= IN_FLIGHT


def test_a_worker_killed_in_mid_dispatch_sends_again_only_what_was_in_flight(scene, people):
    last_page = people[-BATCH // 2][: -len("00")]  # a hundred of them
    scene.fcm.behave(prefixes={last_page: {"stall_after": 1.0, "stall_seconds": 60}})
    worker = scene.service.start("worker")
    notification = scene.accept(groups=["all"])
    until(lambda: scene.fcm.counts()["unanswered"] > 0, "FCM owes an answer")
    until(lambda: scene.notification(notification)["expanded"], "the audience is expanded")
    worker.kill()
    scene.begin()
    scene.fcm.behave()
    in_flight = unwritten(scene, notification)
    assert in_flight
    assert scene.count(notification) == len(people)  # not before: what is being written meanwhile is counted twice
    assert 0 < scene.count(notification, status="sent") < len(people)
    worker.start()
    scene.await_done(notification)
    evidence = scene.sent_to_all("worker killed in mid-dispatch", notification, people)
    assert evidence.duplicates == len(in_flight) <= IN_FLIGHT


@pytest.mark.full
def test_workers_killed_again_and_again_take_over_from_each_other(make_scene, people):
    scene = make_scene(lease=0.5)
    scene.fcm.behave(latency=SLOW)
    workers = [scene.service.start("worker"), scene.service.start("worker")]
    notification = scene.accept(groups=["some"])
    scene.begin()
    for worker, moment in zip(cycle(workers), MOMENTS, strict=False):
        worker.ready("worker started")
        time.sleep(moment)
        worker.kill()
        worker.start()
    scene.await_done(notification)
    kills = len(MOMENTS)  # each may leave what one worker had in flight, and the wait for its leases
    bounds = {"window": kills * IN_FLIGHT, "within": kills * 2 * scene.service.config.lease}
    evidence = scene.sent_to_all(f"workers killed {kills} times in a row", notification, people[:SOME], **bounds)
    assert evidence.duplicates <= len(MOMENTS) * IN_FLIGHT
