import pytest

from notify_server.services.counting_chunks import count_chunks
from notify_server.services.counting_lease import LASTS, CountingLease
from notify_server.storage.counts import Counts
from notify_server.storage.leases import Leases
from notify_server.storage.tallies import ERASED, Tallies
from tests.counted import differences
from tests.services.scene import Scene


@pytest.fixture
def lease(scene: Scene) -> CountingLease:
    return CountingLease(Leases(scene.database), "one", scene.clock)


def test_every_chunk_of_a_notification_is_counted(scene: Scene, lease: CountingLease) -> None:
    made = scene.accept(*"abcdefg")
    scene.work()
    with lease.held():
        assert count_chunks(Counts(scene.database, size=3), lease, made) == 7
    scene.database["changes"].delete_many({})
    assert [chunk.number for chunk in Tallies(scene.database).of([made])[made]] == [0, 1, 2]
    assert differences(scene.database) == []


def test_whoever_has_not_the_right_counts_nothing(scene: Scene, lease: CountingLease) -> None:
    made = scene.accept("a")
    scene.work()
    assert count_chunks(Counts(scene.database), lease, made) is None
    assert Tallies(scene.database).among([(made, ERASED), (made, 0)]) == {}


def test_whoever_loses_it_on_the_way_stops(scene: Scene, lease: CountingLease, monkeypatch: pytest.MonkeyPatch) -> None:
    other = CountingLease(Leases(scene.database), "other", scene.clock)
    made = scene.accept(*"abcdefg")
    scene.work()
    counts = Counts(scene.database, size=3)
    count_chunk = counts.count_chunk

    def slowly(*asked: object) -> object:
        done = count_chunk(*asked)  # type: ignore[arg-type]
        scene.clock.forward(LASTS.total_seconds() + 1)
        assert other.take()
        return done

    monkeypatch.setattr(counts, "count_chunk", slowly)
    assert lease.take()
    assert count_chunks(counts, lease, made) is None
    assert other.take()
