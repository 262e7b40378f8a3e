"""What time brings about while processes come and go: expiry, release, cancellation."""

from datetime import UTC, datetime, timedelta

from notify_server.domain.notification import ResendPolicy
from tests.faults.conftest import SOME
from tests.faults.scene import SLOW, names, target
from tests.service import until

NOBODY = names(30, "deviceless")
TRIED = {"history.1": {"$exists": True}}


def test_whoever_was_not_reached_when_the_ttl_is_over_is_expired_and_told_so(scene, people):
    scene.service.start("scheduler")
    scene.service.start("worker").ready("worker started")
    reached, refused = people[:20], people[100:130]
    scene.fcm.behave(prefixes={user: {"unavailable": 1.0} for user in refused})
    notification = scene.accept(users=sorted([*NOBODY, *reached, *refused]), ttl=2)
    until(lambda: scene.count(notification, **TRIED) == 80, "everyone was tried once")
    assert scene.count(notification, status="pending", reason="no_device") == len(NOBODY)
    assert scene.count(notification, status="pending", reason="unavailable") == len(refused)
    until(lambda: not scene.notification(notification)["open"], "its time is over")
    evidence = scene.evidence(notification)
    scene.sound(evidence)
    expired = [entry for entry in evidence.entries if entry["status"] == "expired"]
    assert sorted(entry["_id"]["u"] for entry in expired) == sorted([*NOBODY, *refused])
    assert sorted(evidence.having("sent")) == reached
    assert {entry["reason"] for entry in expired} == {"ttl_over"}
    assert min(entry["history"][-1]["at"] for entry in expired) >= evidence.notification["expires_at"]
    assert evidence.notification["state"] == "done"
    assert evidence.batches == []


def test_a_scheduled_notification_waits_for_its_time_though_everything_restarts(scene, people):
    scheduler, worker = scene.service.start("scheduler"), scene.service.start("worker")
    send_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
    notification = scene.accept(users=people[:100], send_at=send_at)
    for process in (scheduler, worker):
        process.ready(f"{process.command} started").kill()
        process.start()
    until(lambda: datetime.now(UTC) >= send_at, "its time has come")
    scene.begin()
    scene.await_done(notification)
    evidence = scene.sent_to_all("everything killed before send_at", notification, people[:100])
    assert min(datetime.fromisoformat(row["at"]) for row in evidence.sends) >= send_at
    assert evidence.duplicates == 0


def test_whoever_is_not_sent_to_when_it_is_cancelled_gets_nothing(scene, people):
    scene.fcm.behave(latency=SLOW)
    scene.service.start("worker")
    notification = scene.accept(groups=["some"], resend=ResendPolicy(times=0))
    until(lambda: scene.count(notification, status="sent") > 0, "something is sent")
    assert scene.cancel(notification)
    until(lambda: scene.over(notification), "all that is left is cancelled")
    evidence = scene.evidence(notification)
    scene.sound(evidence)
    cancelled = set(evidence.having("cancelled"))
    assert cancelled
    assert cancelled | set(evidence.having("sent")) == set(people[:SOME])
    assert not {target(user) for user in cancelled} & set(evidence.accepted)
    assert {entry["reason"] for entry in evidence.entries if entry["status"] == "cancelled"} == {"cancelled_by_backend"}
    assert evidence.notification["state"] == "cancelled"
