"""The project's rate, whoever sends: workers come, go and die; a quota is exceeded; what is urgent overtakes.

All bounds are upper bounds on what was sent within a time, or before something else: a slow machine only sends less.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

import pytest

from notify_server.domain.notification import Channel, Priority
from notify_server.domain.pace import START
from notify_server.storage.paces import Paces
from tests.faults.conftest import SOME
from tests.faults.scene import BATCH, Scene, moment, target
from tests.service import until

RATE = 1000.0  # messages a second
WINDOW = 3.0  # seconds
LATE = 0.5 + 0.25  # seconds for which a worker may still send at its old part, when another one has come


def moments(scene: Scene, outcome: str | None = "accepted") -> list[datetime]:
    return sorted(moment(row) for row in scene.fcm.messages(outcome=outcome))


def most_within(times: Sequence[datetime], seconds: float) -> int:
    """The largest number of sends in any span of so many seconds."""
    most, first = 0, 0
    for last, at in enumerate(times):
        while (at - times[first]).total_seconds() > seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


@pytest.mark.full
def test_workers_that_come_and_die_keep_to_the_rate_together(make_scene, people):
    scene = make_scene(fcm_rate=RATE)
    workers = [scene.service.start("worker").ready("worker started") for _ in range(2)]
    notification = scene.accept(groups=["all"])
    scene.begin()
    until(lambda: scene.fcm.counts()["accepted"] > 2 * RATE, "two send")
    scene.service.start("worker").ready("worker started")
    until(lambda: scene.fcm.counts()["accepted"] > 8 * RATE, "three send")
    workers[0].kill()
    scene.await_done(notification)
    scene.sent_to_all("one of three workers killed, all at a rate", notification, people, within=60)
    saved = 0.1 * RATE  # what may be sent at once after an idle time
    paid = 3 * BATCH  # each of three workers has paid for a batch before the span begins
    joined = LATE * RATE / 2  # of two, a third one has just joined
    assert most_within(moments(scene), WINDOW) <= RATE * WINDOW + saved + paid + joined
    assert most_within(moments(scene), 12) <= 1.1 * RATE * 12 + paid


def test_a_broadcast_is_for_all_workers_that_live(make_scene, people):
    """Though the one that expands it is quick enough to send all that its own part of the rate allows."""
    scene = make_scene(fcm_rate=2 * RATE, worker_threads=1)
    for _ in range(2):
        scene.service.start("worker").ready("worker started")
    until(lambda: scene.database.workers.count_documents({}) == 2, "they know of each other")
    notification = scene.accept(groups=["all"])
    owners = set()
    until(lambda: owners.update(scene.database.batches.distinct("owner")) or scene.done(notification), "all is sent")
    assert len(owners - {None}) == 2
    scene.sent_to_all("a broadcast by two workers", notification, people, within=60)


@pytest.mark.full
def test_after_an_idle_time_the_rate_rises_from_a_tenth(make_scene, people):
    scene = make_scene(fcm_rate=RATE, fcm_ramp=10.0)
    for _ in range(2):
        scene.service.start("worker").ready("worker started")
    notification = scene.accept(groups=["some"])
    until(lambda: scene.fcm.counts()["accepted"] > RATE, "it has begun")
    times = moments(scene)
    assert sum((at - times[0]).total_seconds() < 1 for at in times) <= 2 * START * RATE + 2 * BATCH
    assert sum((at - times[0]).total_seconds() < 2 for at in times) <= 0.4 * RATE + 2 * BATCH
    assert scene.cancel(notification)


@pytest.mark.full
def test_a_broadcast_is_not_begun_before_it_is_paid_for(make_scene, people):
    scene = make_scene(fcm_rate=100.0)
    for _ in range(3):
        scene.service.start("worker").ready("worker started")
    notification = scene.accept(groups=["all"])
    until(lambda: scene.database.workers.count_documents({"sending": True}) == 3, "three wait")
    until(lambda: scene.fcm.counts()["accepted"] >= 2 * BATCH, "two batches are sent")
    times = moments(scene)
    assert most_within(times, 5) <= 3 * BATCH  # each had paid for one before, and 5 seconds pay for none
    assert scene.cancel(notification)
    assert scene.service.failures() == []


def test_what_is_for_few_waits_for_no_broadcast_however_low_the_rate(make_scene, people):
    scene = make_scene(fcm_rate=100.0)
    for _ in range(2):
        scene.service.start("worker", worker_threads=2).ready("worker started")
    scene.accept(groups=["all"])
    until(lambda: scene.database.workers.count_documents({"sending": True}) == 2, "all wait for their part")
    few = []
    for number, priority in enumerate([Priority.NORMAL, Priority.HIGH] * 5):
        before = scene.fcm.counts()["accepted"]
        few.append(scene.accept(users=[people[-1 - number]], priority=priority))
        until(lambda: scene.done(few[-1]), "it is sent")
        overtaken_by = scene.fcm.counts()["accepted"] - before - 1
        assert overtaken_by <= 2 * BATCH  # what each worker had already paid for; a thread's wait would be longer
    ids = {row["message"]["data"]["notification_id"] for row in scene.fcm.messages(outcome="accepted")}
    assert set(few) <= ids


def test_a_cancelled_broadcast_stops_at_once_however_low_the_rate(make_scene, people):
    scene = make_scene(fcm_rate=100.0)
    worker = scene.service.start("worker").ready("worker started")
    notification = scene.accept(groups=["some"])
    until(lambda: scene.fcm.counts()["accepted"] >= BATCH, "some of it is sent")
    assert scene.cancel(notification)
    sent = scene.fcm.counts()["accepted"]
    until(lambda: scene.over(notification), "all that is left is cancelled")
    evidence = scene.evidence(notification)
    scene.sound(evidence)
    assert sum(evidence.accepted.values()) <= sent + BATCH  # one batch may have been under way
    cancelled = evidence.having("cancelled")
    assert len(cancelled) == SOME - sum(evidence.accepted.values())
    assert not {target(user) for user in cancelled} & set(evidence.accepted)
    assert worker.stop() == 0


def test_an_exceeded_quota_slows_all_down_loses_nobody_and_costs_no_attempt(make_scene, people):
    scene = make_scene(fcm_rate=RATE)
    scene.fcm.behave(quota_per_minute=1000, retry_after={"quota": 3})
    for _ in range(2):
        scene.service.start("worker").ready("worker started")
    notification = scene.accept(groups=["some"])
    paces = Paces(scene.database)
    until(lambda: paces.get(Channel.PUSH).throttled_at is not None, "FCM says that it is too much")
    throttled = paces.get(Channel.PUSH)
    assert throttled.factor < 1
    assert throttled.failures == 0
    until(lambda: scene.count(notification, reason="quota_exceeded") > 0, "some wait")
    assert scene.fcm.counts()["accepted"] == 1000
    scene.fcm.behave(retry_after={"quota": 3})
    scene.await_done(notification)
    evidence = scene.sent_to_all("quota exceeded", notification, people[:SOME], within=60)
    assert evidence.duplicates == 0
    assert {entry["attempts"] for entry in evidence.entries} == {1}
    assert scene.fcm.retry_after_violations() == []
    by_target: dict[str, list[datetime]] = {}
    for row in evidence.sends:
        by_target.setdefault(row["target"], []).append(moment(row))
    again = [pair for times in by_target.values() for pair in pairwise(times)]
    assert again
    assert all((later - earlier).total_seconds() >= 3 for earlier, later in again)
