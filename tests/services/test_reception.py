from datetime import UTC, datetime

import pytest
from prometheus_client import REGISTRY

from notify_server.domain.registry import Status
from notify_server.services.reception import Reception, Report
from notify_server.storage.documents import new_id
from tests.builders import NOON, after
from tests.services.scene import Scene


@pytest.fixture
def reception(scene: Scene) -> Reception:
    return scene.services.reception


@pytest.fixture
def notification(scene: Scene) -> str:
    """One that was sent to a and b."""
    for user in "ab":
        scene.register(user)
    made = scene.accept("a", "b")
    scene.work()
    return made


def test_reports_are_recorded_in_their_order(scene: Scene, reception: Reception, notification: str) -> None:
    scene.clock.forward(60)
    reports = [
        Report(notification, Status.RECEIVED, after(10), "phone"),
        Report(notification, Status.READ, after(20), "tablet"),
    ]
    assert reception.report("a", reports) == []
    entry = scene.entry(notification, "a")
    assert (entry["status"], entry["received_at"], entry["read_at"]) == ("read", after(10), after(20))
    assert [line["detail"] for line in entry["history"][-2:]] == ["device phone", "device tablet"]
    assert scene.standing(notification)["b"] == ("sent", None)


def test_a_report_without_a_time_counts_as_now(scene: Scene, reception: Reception, notification: str) -> None:
    scene.clock.forward(60)
    reception.report("a", [Report(notification, Status.RECEIVED)])
    assert scene.entry(notification, "a")["received_at"] == after(60)


def test_a_time_in_the_future_counts_as_now(scene: Scene, reception: Reception, notification: str) -> None:
    reception.report("a", [Report(notification, Status.RECEIVED, after(3600))])
    assert scene.entry(notification, "a")["received_at"] == NOON


def test_a_time_before_there_was_a_notification_counts_as_when_it_was_made(
    scene: Scene, reception: Reception, notification: str
) -> None:
    scene.clock.forward(60)
    reception.report("a", [Report(notification, Status.READ, datetime(1970, 1, 2, tzinfo=UTC))])
    entry = scene.entry(notification, "a")
    assert (entry["received_at"], entry["read_at"]) == (NOON, NOON)


def test_reports_that_come_again_or_too_late_are_taken_and_change_nothing(
    scene: Scene, reception: Reception, notification: str
) -> None:
    reception.report("a", [Report(notification, Status.READ)])
    before = scene.entry(notification, "a")
    again = [Report(notification, Status.READ), Report(notification, Status.RECEIVED)] * 2
    assert reception.report("a", again) == []
    assert scene.entry(notification, "a") == before


def test_reports_of_what_is_unknown_foreign_or_no_id_are_told_apart(
    scene: Scene, reception: Reception, notification: str
) -> None:
    foreign = scene.accept("b")
    scene.work()
    named = [new_id(), notification, foreign, "n1", "", "💥"]
    assert reception.report("a", [Report(name, Status.RECEIVED) for name in named]) == [0, 2, 3, 4, 5]
    assert scene.standing(notification)["a"] == ("received", None)
    assert scene.standing(foreign)["b"] == ("sent", None)


def test_a_receipt_counts_though_the_notification_was_muted(scene: Scene, reception: Reception) -> None:
    scene.services.people.put("a", {})
    scene.database["users"].update_one({"_id": "a"}, {"$set": {"muted.categories": ["booking"]}})
    notification = scene.accept("a", category="booking")
    scene.work()
    assert reception.report("a", [Report(notification, Status.READ)]) == []
    assert scene.standing(notification) == {"a": ("read", None)}


def test_no_reports_are_no_work(reception: Reception) -> None:
    assert reception.report("a", []) == []


def test_receipts_are_counted(reception: Reception, notification: str) -> None:
    def counted() -> list[float]:
        results = ("accepted", "rejected")
        return [REGISTRY.get_sample_value("notify_receipts_total", {"result": result}) or 0 for result in results]

    before = counted()
    reports = [Report(notification, Status.RECEIVED), Report(notification, Status.READ), Report(new_id(), Status.READ)]
    reception.report("a", reports)
    assert [now - then for now, then in zip(counted(), before, strict=True)] == [2, 1]
