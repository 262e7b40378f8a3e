"""Taking back and sending again by HTTP while the work is under way, and while processes die."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from notify_server.domain.notification import ResendPolicy
from notify_server.storage.mongod import _ORPHANED
from notify_server.storage.notifications import Notifications
from tests.faults.api import Api
from tests.faults.conftest import SOME
from tests.faults.scene import SLOW, WINDOW, Scene, moment, names, target
from tests.invariants import Evidence
from tests.service import until

NEVER = ResendPolicy(times=0)
NOBODY = names(30, "deviceless")
STOPPED = "cancelled_by_backend"
LEFT_OPEN = 1.5 * _ORPHANED  # seconds that a transaction outlives its process: MongoDB looks each half of its limit

Post = Callable[[str, str], dict[str, Any]]


@pytest.fixture
def post(scene: Scene) -> Iterator[Post]:
    """Asks a web process for `cancel` or `resend` of a notification, as a backend does; the answer."""
    scene.service.start("web", web_processes=1)
    api = Api(scene)
    api.await_ready()

    def ask(verb: str, notification: str) -> dict[str, Any]:
        answer = api.client.post(f"/v1/notifications/{notification}/{verb}")
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    yield ask
    api.close()


def stopped(evidence: Evidence) -> set[str]:
    """Who was stopped: of each the reason is told, and FCM has accepted nothing."""
    found = [entry for entry in evidence.entries if entry["status"] == "cancelled"]
    assert {entry["reason"] for entry in found} <= {STOPPED}
    users = {entry["_id"]["u"] for entry in found}
    assert not {target(user) for user in users} & set(evidence.accepted)
    return users


def swept(scene: Scene, notification: str) -> bool:
    """Whether nothing is left to be swept."""
    return not scene.notification(notification)["open"]


def test_a_cancel_in_mid_dispatch_stops_who_is_not_sent_to_and_says_how_many(scene, people, post):
    scene.fcm.behave(latency=SLOW)
    scene.service.start("scheduler").ready("scheduler leads")
    scene.service.start("worker").ready("worker started")
    notification = scene.accept(groups=["all"], users=NOBODY, resend=ResendPolicy(after=900))
    until(lambda: scene.notification(notification)["expanded"], "the audience is expanded")
    until(lambda: scene.count(notification, status="sent") > 0, "some are sent to")
    scene.begin()
    first = post("cancel", notification)
    sent_by_then = len(people) + len(NOBODY) - first["stopped"] - first["in_flight"] - first["remaining"]
    assert (first["state"], first["expanded"]) == ("cancelled", True)
    assert first["stopped"] > 0
    assert first["in_flight"] > 0
    until(lambda: swept(scene, notification), "nothing is left")
    evidence = scene.evidence(notification)
    scene.sound(evidence)
    cancelled, sent = stopped(evidence), set(evidence.having("sent"))
    assert cancelled | sent == {*people, *NOBODY}
    assert evidence.reached == sent
    assert evidence.duplicates == 0
    assert evidence.batches == []
    assert first["stopped"] <= len(cancelled) <= first["stopped"] + first["in_flight"] + first["remaining"]
    assert sent_by_then <= len(sent) <= sent_by_then + first["in_flight"]
    last = post("cancel", notification)
    assert last == first | {"stopped": len(cancelled), "in_flight": 0, "remaining": 0}
    scene.record("cancelled in mid-dispatch", evidence, sorted(sent), window=0)


@pytest.mark.full
def test_a_cancel_in_mid_expansion_gives_everybody_an_entry(scene, people, post):
    scene.fcm.behave(latency=SLOW)
    scene.service.start("scheduler").ready("scheduler leads")
    worker = scene.service.start("worker").ready("worker started")
    notification = scene.accept(groups=["all"], resend=NEVER)
    until(lambda: scene.count(notification) > 0, "the expansion has begun")
    worker.kill()
    assert not post("cancel", notification)["expanded"]
    worker.start()
    until(lambda: swept(scene, notification), "nothing is left")
    evidence = scene.evidence(notification)
    scene.sound(evidence)
    assert len(stopped(evidence)) + len(evidence.having("sent")) == len(people)
    assert evidence.batches == []


@pytest.mark.full
def test_the_scheduler_ends_what_a_dead_web_process_has_begun(scene, people):
    """The state is all that it wrote before it died; no worker lives that would come by the batches."""
    worker = scene.service.start("worker").ready("worker started")
    scene.fcm.behave(latency=SLOW)
    notification = scene.accept(groups=["some"], users=NOBODY, resend=NEVER)
    until(lambda: scene.count(notification, status="sent") > 0, "some are sent to")
    until(lambda: scene.notification(notification)["expanded"], "the audience is expanded")
    worker.kill()
    assert Notifications(scene.database).cancel(notification)
    scene.service.start("scheduler")
    until(lambda: swept(scene, notification), "nothing is left")
    evidence = scene.evidence(notification)
    unknown = evidence.reached.intersection(evidence.having("cancelled"))
    assert len(unknown) <= WINDOW  # what the dead worker had handed to FCM, and nobody can know of
    assert len(evidence.having("cancelled")) + len(evidence.having("sent")) == SOME + len(NOBODY)
    scene.sound(evidence)
    assert evidence.batches == []


def test_a_retry_that_was_under_way_is_cancelled_long_before_it_is_due(scene, people, post):
    scene.fcm.behave(latency=SLOW, unavailable=1.0, retry_after={"unavailable": 600})
    scene.service.start("scheduler").ready("scheduler leads")
    scene.service.start("worker").ready("worker started")
    notification = scene.accept(users=people[:20], resend=NEVER)
    until(lambda: scene.count(notification) == 20, "the audience is expanded")
    post("cancel", notification)
    until(lambda: swept(scene, notification), "nothing is left")
    evidence = scene.evidence(notification)
    scene.sound(evidence)
    assert stopped(evidence) == set(people[:20])
    assert evidence.batches == []


def test_what_is_sent_again_by_request_is_sent_once_more_though_schedulers_and_workers_die(scene, people, post):
    schedulers = [scene.service.start("scheduler") for _ in range(2)]
    worker = scene.service.start("worker").ready("worker started")
    notification = scene.accept(groups=["some"], resend=ResendPolicy(after=900, times=1))
    scene.await_done(notification)
    until(lambda: scene.database.batches.count_documents({"stage": "dispatch"}) == 0, "everything is settled")
    scene.fcm.behave(latency=SLOW)
    assert [post("resend", notification)["queued"] for _ in range(2)] == [SOME, SOME]
    until(lambda: scene.count(notification, resends=1) > 0, "it is being sent again")
    for process in (*schedulers, worker):
        process.kill()
    scene.begin()
    scene.fcm.behave()
    for process in (*schedulers, worker):
        process.start()
    over = {"resends": 1, "status": "sent"}
    until(lambda: scene.count(notification, **over) == SOME, "all were sent it again")
    until(lambda: scene.database.resends.count_documents({}) == 0, "the request is carried out")
    until(lambda: scene.database.batches.count_documents({}) == 0, "nothing is left")
    evidence = scene.sent_to_all(
        "killed in mid-resend by request", notification, people[:SOME], sends=2, within=LEFT_OPEN + 1
    )
    assert evidence.duplicates - SOME <= WINDOW
    assert min(evidence.accepted.values()) == 2
    assert Counter(entry["attempts"] for entry in evidence.entries) == {2: SOME}


def test_what_all_have_got_is_not_sent_again_after_a_cancel(scene, people, post):
    scene.service.start("scheduler").ready("scheduler leads")
    scene.service.start("worker").ready("worker started")
    notification = scene.accept(users=people[:20], resend=ResendPolicy(after=10, times=2))
    other = scene.accept(users=people[:20], resend=ResendPolicy(after=10, times=1))
    scene.await_done(notification, other)
    first = post("cancel", notification)
    assert (first["state"], first["stopped"], first["in_flight"], first["remaining"]) == ("cancelled", 0, 0, 0)
    until(lambda: scene.count(other, resends=1, status="sent") == 20, "the other one is sent again")
    evidence = scene.evidence(notification)
    scene.sound(evidence)
    assert sorted(evidence.having("sent")) == people[:20]
    assert evidence.duplicates == 0
    assert evidence.batches == []


@pytest.mark.full
def test_nothing_is_sent_before_its_time_to_the_millisecond(scene, people):
    """Several schedulers and workers compete for being early."""
    for command in ("scheduler", "scheduler", "worker", "worker"):
        scene.service.start(command).ready(f"{command} started")
    base = datetime.now(UTC) + timedelta(seconds=1)
    times = [base + timedelta(milliseconds=137 * number) for number in range(20)]
    notifications = {scene.accept(users=people[:3], send_at=at, resend=NEVER): at for at in times}
    scene.await_done(*notifications)
    log = scene.fcm.messages()
    for notification, send_at in notifications.items():
        evidence = scene.evidence_in(notification, log)
        scene.sound(evidence)
        assert sorted(evidence.having("sent")) == people[:3]
        stored = scene.notification(notification)["send_at"]
        assert min(moment(row) for row in evidence.sends) >= stored
        assert send_at - stored < timedelta(milliseconds=1)
