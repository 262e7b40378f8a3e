"""What devices and FCM's credential do in the middle of a dispatch."""

from concurrent.futures import ThreadPoolExecutor

from notify_server.domain.device import Platform, Target, TargetType
from notify_server.services.enrolment import Installation
from tests.faults.conftest import SOME
from tests.faults.scene import names, target
from tests.service import until

LATE = names(120, "late")


def test_a_device_registered_while_its_user_is_found_to_have_none_is_sent_to_once(scene):
    workers = [scene.service.start("worker").ready("worker started") for _ in range(2)]

    def register(user: str) -> None:
        installation = Installation(Platform.ANDROID, Target(TargetType.TOKEN, target(user)))
        scene.services.enrolment.register(user, "phone", installation)

    for user in LATE[::40]:  # some have one in time
        register(user)
    notifications = [scene.accept(users=LATE) for _ in workers]
    scene.begin()
    with ThreadPoolExecutor(8) as apps:
        list(apps.map(register, LATE))
    until(lambda: all(scene.over(notification) for notification in notifications), "nobody is pending")
    until(lambda: scene.database.batches.count_documents({"stage": "dispatch"}) == 0, "everything is settled")
    for notification in notifications:
        evidence = scene.sent_to_all("devices registered in mid-dispatch", notification, LATE)
        assert evidence.duplicates == 0


def test_a_credential_revoked_in_mid_dispatch_is_renewed_and_nobody_notices(scene, people):
    scene.fcm.behave(latency={"min": 0.05, "max": 0.1})
    scene.service.start("worker")
    notification = scene.accept(groups=["some"])
    until(lambda: scene.count(notification, status="sent") > 0, "something is sent")
    scene.fcm.revoke_tokens()
    scene.begin()
    scene.await_done(notification)
    assert scene.fcm.counts()["by_outcome"]["unauthenticated"] > 0
    evidence = scene.sent_to_all("credential revoked in mid-dispatch", notification, people[:SOME])
    assert evidence.duplicates == 0
    assert {entry["attempts"] for entry in evidence.entries} == {1}
