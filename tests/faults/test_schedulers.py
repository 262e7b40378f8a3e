"""Several schedulers and workers at once: each entry is sent again exactly as often as its policy says."""

from collections import Counter

import pytest

from notify_server.domain.notification import ResendPolicy
from notify_server.domain.registry import Status
from notify_server.services.reception import Report
from tests.faults.scene import BATCH, SLOW, Scene, target
from tests.service import Process, until

SMALL = 10  # notifications of
FEW = 25  # recipients each
MANY = 1500  # recipients of one more
WORKER_THREADS = 2
POLICY = ResendPolicy(after=1, times=2)


def leader(schedulers: list[Process]) -> Process:
    """The scheduler that leads."""
    until(lambda: any("scheduler leads" in scheduler.events() for scheduler in schedulers), "one leads")
    [leading] = [scheduler for scheduler in schedulers if "scheduler leads" in scheduler.events()]
    return leading


def resent(scene: Scene, notifications: list[str], times: int) -> bool:
    """Whether all entries that wait for a receipt were sent again at least so many times."""
    return all(
        scene.count(notification, status={"$in": ["sent", "pending"]}, resends={"$lt": times}) == 0
        for notification in notifications
    )


@pytest.fixture
def scene(make_scene) -> Scene:
    return make_scene(lease=1.0, worker_threads=WORKER_THREADS)


def test_no_entry_is_sent_again_by_two_even_when_the_leader_dies(scene, people):
    schedulers = [scene.service.start("scheduler") for _ in range(2)]
    workers = [scene.service.start("worker") for _ in range(3)]
    for process in (*schedulers, *workers):
        process.ready(f"{process.command} started")
    leading = leader(schedulers)
    notifications = [
        scene.accept(users=people[start : start + FEW], resend=POLICY) for start in range(0, SMALL * FEW, FEW)
    ]
    notifications.append(scene.accept(users=people[:MANY], resend=POLICY))
    scene.await_done(*notifications)
    received = people[:10]
    for user in received:
        assert scene.services.reception.report(user, [Report(notifications[0], Status.RECEIVED)]) == []
    until(lambda: resent(scene, notifications, 1), "the first resend")
    leading.kill()
    scene.begin()
    until(lambda: scene.database.batches.count_documents({}) == 0, "the last resend, after which nothing is left")
    assert [scheduler for scheduler in schedulers if scheduler.alive] != [leading]
    assert "scheduler leads" in next(s for s in schedulers if s is not leading).events()
    log = scene.fcm.messages()
    for notification in notifications:
        evidence = scene.evidence_in(notification, log)
        scene.sound(evidence)
        for entry in evidence.entries:
            times = 0 if entry["_id"]["u"] in received and notification == notifications[0] else POLICY.times
            assert evidence.accepted[target(entry["_id"]["u"])] == 1 + times
            assert Counter(line["status"] for line in entry["history"])["sent"] == 1 + times
            assert entry["resends"] == times
            assert entry["attempts"] == 1 + times
    within = 2 * scene.service.config.lease + (POLICY.wait(1) or 0)  # the last resend is not due before that
    fault = "leading scheduler killed between two resends"
    scene.record(fault, evidence, people[:MANY], sends=1 + POLICY.times, within=within)


def test_resends_end_where_a_worker_dies_in_their_midst(scene, people):
    """kill -9 between two resends of one batch: none is skipped, and the one under way is not repeated."""
    scene.service.start("scheduler").ready("scheduler started")
    worker = scene.service.start("worker").ready("worker started")
    notification = scene.accept(users=people[:MANY], resend=ResendPolicy(after=1, times=1))
    scene.await_done(notification)
    scene.fcm.behave(latency=SLOW)
    until(lambda: scene.count(notification, resends=1, status="sent") > 0, "some are sent again")
    assert scene.count(notification, resends=0) + scene.count(notification, resends=1, status="pending") > 0
    worker.kill()
    scene.begin()
    scene.fcm.behave()
    worker.start()
    until(lambda: scene.database.batches.count_documents({}) == 0, "nothing is left")
    evidence = scene.sent_to_all("worker killed in mid-resend", notification, people[:MANY], sends=2)
    assert {entry["resends"] for entry in evidence.entries} == {1}
    assert {entry["attempts"] for entry in evidence.entries} == {2}
    assert evidence.duplicates - MANY <= WORKER_THREADS * BATCH
