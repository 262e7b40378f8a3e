"""What time brings about while processes come and go: expiry, release, cancellation."""

from datetime import UTC, datetime, timedelta

from notify_server.domain.notification import ResendPolicy
from tests.faults.conftest import SOME
from tests.faults.scene import Scene, names, target
from tests.service import until

NOBODY = names(30, "deviceless")


def closed(scene: Scene, notification: str) -> bool:
    return not scene.notification(notification)["open"]


def test_who_has_no_device_until_the_ttl_is_over_is_expired_and_told_so(scene, people):
    scene.service.start("scheduler")
    scene.service.start("worker")
    reached = people[:20]
    notification = scene.accept(users=[*NOBODY, *reached], ttl=2)
    scene.await_done(notification)
    assert scene.count(notification, status="pending", reason="no_device") == len(NOBODY)
    until(lambda: closed(scene, notification), "its time is over")
    evidence = scene.evidence(notification)
    scene.sound(evidence)
    assert sorted(evidence.having("expired")) == NOBODY
    assert sorted(evidence.having("sent")) == reached
    assert {entry["reason"] for entry in evidence.entries if entry["status"] == "expired"} == {"ttl_over"}
    over = scene.notification(notification)["expires_at"]
    ends = [entry["history"][-1]["at"] for entry in evidence.entries if entry["status"] == "expired"]
    assert min(ends) >= over
    assert evidence.batches == []
    assert evidence.notification["state"] == "done"


def test_what_fcm_never_took_is_expired_when_the_ttl_is_over(scene, people):
    scene.fcm.behave(unavailable=1.0)
    scene.service.start("scheduler")
    scene.service.start("worker")
    notification = scene.accept(users=people[:20], ttl=2)
    until(lambda: closed(scene, notification), "its time is over")
    evidence = scene.evidence(notification)
    scene.sound(evidence)
    assert {(entry["status"], entry["reason"]) for entry in evidence.entries} == {("expired", "ttl_over")}
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
    scene.fcm.behave(latency={"min": 0.1, "max": 0.2})
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
