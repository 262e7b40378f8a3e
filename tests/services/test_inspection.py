from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from notify_server.errors import NotFound
from notify_server.services.inspection import Inspection
from notify_server.storage.documents import Document, Store, new_id
from tests.services.scene import Scene


@contextmanager
def profiled(database: Store) -> Iterator[list[Document]]:
    """MongoDB's profile of what the block does with the registry, once it is left."""
    found: list[Document] = []
    database.command("profile", 2)
    try:
        yield found
    finally:
        database.command("profile", 0)
        found += database["system.profile"].find({"ns": f"{database.name}.registry"})
        database.drop_collection("system.profile")


@pytest.fixture
def inspection(scene: Scene) -> Inspection:
    return scene.services.inspection


def test_a_notification_is_shown_with_its_recipients_by_status(scene: Scene, inspection: Inspection) -> None:
    scene.register("a")
    notification = scene.accept("a", "b", "c")
    scene.work()
    standing = inspection.get(notification)
    assert (standing.notification.id, standing.notification.state, standing.recipients) == (notification, "done", 3)
    assert {status: count for status, count in standing.counts.items() if count} == {"sent": 1, "pending": 2}
    assert len(standing.counts) == 8


def test_a_page_of_notifications_has_the_recipients_of_each(scene: Scene, inspection: Inspection) -> None:
    first, second, other = scene.accept("a"), scene.accept("a", "b"), scene.accept("c", category="x")
    scene.expand()
    page = inspection.page({}, None, 2)
    assert [(listed.notification.id, listed.recipients) for listed in page] == [(other, 1), (second, 2)]
    assert [listed.notification.id for listed in inspection.page({}, second, 9)] == [first]
    assert [listed.notification.id for listed in inspection.page({"category": "x"}, None, 9)] == [other]


def test_a_page_of_notifications_reads_no_entry_and_a_cancel_none_of_those_that_were_sent(
    scene: Scene, inspection: Inspection
) -> None:
    scene.register("a")
    for _ in range(3):
        notification = scene.accept("a", "b", "c")
    scene.work()
    with profiled(scene.database) as reads:
        inspection.page({}, None, 9)
    assert reads == []
    with profiled(scene.database) as reads:
        scene.services.cancellation.cancel(notification)
    counts = [read for read in reads if "$group" in str(read["command"].get("pipeline"))]
    assert [(read["planSummary"].split()[0], read["docsExamined"]) for read in counts] == [("COUNT_SCAN", 0)] * 2
    assert sum(read["keysExamined"] for read in counts) <= 4  # of two cancelled and none pending, and the ends of both


def test_the_registry_of_a_notification_is_paged_and_narrowed(scene: Scene, inspection: Inspection) -> None:
    scene.register("b")
    notification = scene.accept("a", "b", "c")
    scene.work()
    assert [entry["user_id"] for entry in inspection.registry(notification, None, "a", 1)] == ["b"]
    assert [entry["user_id"] for entry in inspection.registry(notification, "pending", None, 9)] == ["a", "c"]


def test_the_registry_of_a_user_is_newest_first(scene: Scene, inspection: Inspection) -> None:
    first, second = scene.accept("a"), scene.accept("a")
    scene.expand()
    assert [entry["notification_id"] for entry in inspection.registry_of_user("a", None, 9)] == [second, first]
    assert [entry["notification_id"] for entry in inspection.registry_of_user("a", second, 9)] == [first]


def test_what_is_unknown_is_not_found(inspection: Inspection) -> None:
    with pytest.raises(NotFound):
        inspection.get(new_id())
    with pytest.raises(NotFound):
        inspection.registry(new_id(), None, None, 9)
    with pytest.raises(NotFound):
        inspection.registry_of_user("nobody", None, 9)


def test_the_entry_of_one_user_is_found_or_there_is_none(scene: Scene, inspection: Inspection) -> None:
    notification = scene.accept("a")
    scene.expand()
    entry = inspection.entry(notification, "a")
    assert entry is not None
    assert (entry["user_id"], entry["status"]) == ("a", "pending")
    assert inspection.entry(notification, "b") is None
    with pytest.raises(NotFound):
        inspection.entry(new_id(), "a")


def test_the_content_of_notifications_is_had_without_a_look_at_their_entries(
    scene: Scene, inspection: Inspection, database: Store
) -> None:
    first, second = scene.accept("a"), scene.accept("b", category="news")
    with profiled(database) as queries:
        assert inspection.content(second).category == "news"
        assert inspection.among([first, second, new_id()]).keys() == {first, second}
    assert queries == []
    with pytest.raises(NotFound):
        inspection.content(new_id())
