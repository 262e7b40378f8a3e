import pytest

from notify_server.domain.registry import Status
from notify_server.services.comparison import Comparison
from notify_server.services.reception import Report
from notify_server.storage.changes import Changes
from notify_server.storage.documents import new_id, object_id
from notify_server.storage.recount import Recount
from notify_server.storage.snapshots import Snapshots
from notify_server.storage.subjects import Subjects
from notify_server.storage.tallies import Tallies
from tests.counted import count_all
from tests.services.scene import Scene


@pytest.fixture
def comparison(scene: Scene) -> Comparison:
    database = scene.database
    return Comparison(Changes(database), Subjects(database), Recount(database), Tallies(database), Snapshots(database))


@pytest.fixture(params=["brief", "large"])
def made(scene: Scene, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A notification of ten recipients, counted; as a large one it has chunks of four."""
    if request.param == "large":
        monkeypatch.setattr("notify_server.services.counting_groups.BRIEF", 3)
        monkeypatch.setattr("notify_server.storage.counts.SIZE", 4)
    made = scene.accept(*[f"u{number}" for number in range(10)])
    scene.work()
    count_all(scene.database)
    return made


def test_what_was_counted_does_not_differ_and_what_is_marked_does_not_matter(comparison: Comparison, made: str) -> None:
    [found] = comparison.page([made, new_id()])
    assert (found.name, found.entries, found.wrong, found.marked) == (made, 10, None, False)


def test_what_was_changed_since_differs(scene: Scene, comparison: Comparison, made: str) -> None:
    scene.services.reception.report("u9", [Report(made, Status.READ)])
    [found] = comparison.page([made])
    assert found.wrong is not None
    assert found.wrong.expected["2026-11-20T12:00 read"] == 1
    assert found.marked
    scene.database["changes"].delete_many({})
    assert [each.marked for each in comparison.page([made])] == [False]


def test_a_tally_that_is_missing_differs(scene: Scene, comparison: Comparison, made: str) -> None:
    scene.database["tallies"].delete_many({"_id.n": object_id(made)})
    [found] = comparison.page([made])
    assert found.wrong is not None
    assert found.wrong.found["2026-11-20T12:00 pending"] == 0


def test_who_was_erased_is_compared_too(scene: Scene, comparison: Comparison, made: str) -> None:
    brief = len(scene.database["tallies"].distinct("_id.c")) == 1
    scene.services.erasing.erase("u3")
    assert [each.wrong is None for each in comparison.page([made])] == [brief]  # the sum of all its chunks is the same
    count_all(scene.database)
    [found] = comparison.page([made])
    assert (found.wrong, found.entries) == (None, 9)
