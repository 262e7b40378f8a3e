import pytest

from notify_server.errors import Conflict
from notify_server.services.counting_lease import LASTS, CountingLease
from notify_server.services.rollup_proof import RollupProof
from notify_server.services.verdict import Difference, Verdict
from notify_server.storage.documents import Store
from notify_server.storage.leases import Leases
from notify_server.storage.rollup_check import CHECK, RollupCheck
from notify_server.storage.statistics import Statistics
from notify_server.storage.subjects import Subjects
from notify_server.storage.tallies import Tallies
from tests.builders import StoppedClock
from tests.counted import count_all
from tests.services.scene import Scene


def proof(database: Store, lease: CountingLease) -> RollupProof:
    return RollupProof(RollupCheck(database), Tallies(database), Subjects(database), lease, lambda _: None)


@pytest.fixture
def lease(scene: Scene) -> CountingLease:
    """Of whoever compares, where something was counted."""
    scene.accept("a")
    scene.work()
    count_all(scene.database)
    return CountingLease(Leases(scene.database), "one", scene.clock)


@pytest.fixture
def other(scene: Scene) -> CountingLease:
    return CountingLease(Leases(scene.database), "other", scene.clock)


def test_nobody_counts_while_roll_ups_are_compared(scene: Scene, lease: CountingLease, other: CountingLease) -> None:
    scene.database["statistics"].update_one({"_id.g": "day"}, {"$inc": {"t.sent": 1}})
    taken: list[bool] = []
    told: list[Difference] = []

    def tell(difference: Difference) -> None:
        told.append(difference)
        taken.append(other.take())

    verdict = Verdict()
    proof(scene.database, lease).compare(verdict, tell, repair=True)
    assert (verdict.differences, taken) == (1, [False])
    assert told[0].expected == {"t.sent": 0}
    assert other.take()


def test_whoever_stood_still_for_too_long_begins_again(
    scene: Scene, lease: CountingLease, other: CountingLease
) -> None:
    scene.database["statistics"].update_many({}, {"$inc": {"t.failed": 1}})

    def tell(_: Difference) -> None:
        scene.clock.forward(LASTS.total_seconds())
        assert other.take()

    with pytest.raises(Conflict, match="Begin again"):
        proof(scene.database, lease).compare(Verdict(), tell, repair=False)


def test_whoever_lost_the_right_for_a_moment_begins_again_too(
    scene: Scene, lease: CountingLease, other: CountingLease
) -> None:
    """Another has counted and given it back: what is compared is of before and after."""
    scene.database["statistics"].update_many({}, {"$inc": {"t.failed": 1}})
    before = list(scene.database["statistics"].find())

    def tell(_: Difference) -> None:
        scene.clock.forward(LASTS.total_seconds())
        with other.held() as held:
            assert held

    with pytest.raises(Conflict, match="Begin again"):
        proof(scene.database, lease).compare(Verdict(), tell, repair=True)
    assert list(scene.database["statistics"].find()) == before


def test_the_right_is_kept_while_a_large_archive_is_read(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notify_server.storage.rollup_check._PAGE", 1)
    monkeypatch.setattr("notify_server.storage.rollup_check._PARTS", 1)
    scene.accept("a", category="news")
    scene.work()
    count_all(scene.database)
    for number, document in enumerate(list(scene.database["statistics"].find())):
        scene.database["archive"].insert_one(document | {"_id": document["_id"] | {"v": f"v{number}"}})
    extended: list[bool] = []

    class Slow(CountingLease):
        """Whatever is done between two looks at it takes half of the time for which it lasts."""

        def extend(self) -> None:
            scene.clock.forward(LASTS.total_seconds() / 2)
            extended.append(CountingLease(Leases(scene.database), "other", scene.clock).take())
            super().extend()

    verdict = Verdict()
    lease = Slow(Leases(scene.database), "one", scene.clock)
    proof(scene.database, lease).compare(verdict, lambda _: None, repair=False)
    assert (set(extended), verdict.differences) == ({False}, scene.database["archive"].count_documents({}))
    assert len(extended) > verdict.rollups


def test_without_anything_there_is_nothing_to_compare(database: Store) -> None:
    verdict = Verdict()
    proof(database, CountingLease(Leases(database), "one", StoppedClock())).compare(verdict, pytest.fail, repair=False)
    assert (verdict.rollups, verdict.differences) == (0, 0)
    assert CHECK not in database.list_collection_names()
    assert Statistics(database).add([]) == 0
