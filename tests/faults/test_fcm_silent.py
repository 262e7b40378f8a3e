"""FCM is slow, or says nothing at all: nobody is lost, and only what was never answered is sent again."""

from collections.abc import Iterator

import pytest

from tests.faults.conftest import SOME
from tests.faults.scene import BATCH, Scene
from tests.service import until

THREADS = 2
TIMEOUT = 1.0  # seconds that a worker waits for FCM's answer
BACKOFF = 30.0  # seconds: FCM asks for ten at least before the first retry, and the channel is tried carefully


@pytest.fixture
def scene(make_scene) -> Iterator[Scene]:
    scene = make_scene(fcm_timeout=TIMEOUT)
    yield scene
    scene.fcm.resume()


@pytest.mark.full
def test_an_fcm_that_answers_nobody_is_asked_again_when_it_does(scene, people, crowd):
    """SIGSTOP: the kernel takes connections and bytes, and nothing ever comes back."""
    scene.fcm.behave(latency={"min": 0.05, "max": 0.3})
    scene.service.start("scheduler")
    worker = scene.service.start("worker", worker_threads=THREADS).ready("worker started")
    notification = scene.accept(groups=["crowd"])
    until(lambda: scene.count(notification, status="sent") > 0, "something is sent")
    scene.fcm.pause()
    scene.begin()
    until(lambda: scene.count(notification, reason="connection_lost") > 0, "no answer came in time")
    scene.fcm.resume()
    scene.await_done(notification)
    assert worker.alive
    window = THREADS * BATCH
    evidence = scene.sent_to_all("FCM silent in mid-dispatch", notification, crowd, within=BACKOFF, window=window)
    assert evidence.duplicates <= window


@pytest.mark.full
def test_an_fcm_that_stalls_after_its_accept_gets_it_twice_and_no_more(scene, people):
    scene.fcm.behave(prefixes={"user-0000": {"stall_after": 1.0, "stall_seconds": 60}})
    scene.service.start("scheduler")
    scene.service.start("worker").ready("worker started")
    notification = scene.accept(users=people[:100])
    until(lambda: scene.count(notification, reason="connection_lost") == 10, "no answer came in time")
    scene.begin()
    scene.fcm.behave()
    scene.await_done(notification)
    evidence = scene.sent_to_all("FCM stalls after its accept", notification, people[:100], within=BACKOFF, window=10)
    assert evidence.duplicates == 10


@pytest.mark.full
def test_an_fcm_slower_than_a_lease_costs_nothing_but_time(make_scene, people):
    scene = make_scene(lease=0.5)
    scene.fcm.behave(latency={"min": 1.0, "max": 1.5})
    scene.service.start("scheduler")
    for _ in range(2):
        scene.service.start("worker").ready("worker started")
    scene.begin()
    notification = scene.accept(groups=["some"])
    scene.await_done(notification)
    evidence = scene.sent_to_all("FCM slower than a lease", notification, people[:SOME], window=0, within=BACKOFF)
    assert evidence.duplicates == 0
