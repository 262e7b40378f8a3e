from dataclasses import dataclass
from typing import Any

import pytest
from prometheus_client import REGISTRY

from notify_server import metrics
from notify_server.bootstrap import build_counting
from notify_server.domain.registry import Event, Note, Reason, Status
from notify_server.domain.statistics import ALL, Dimension, Kind
from notify_server.domain.tally import total
from notify_server.errors import DatabaseUnavailable
from notify_server.services.counting import Counting, Ticks
from notify_server.services.counting_lease import CountingLease
from notify_server.services.reception import Report
from notify_server.storage.changes import Changes, packed
from notify_server.storage.counts import ChunkCounted, Counts
from notify_server.storage.documents import new_id, object_id
from notify_server.storage.journal import ENTERED
from notify_server.storage.leases import Leases
from notify_server.storage.notifications import Notifications
from notify_server.storage.registry import Arrivals, Registry
from notify_server.storage.statistics import Statistics
from notify_server.storage.tallies import ERASED
from tests.builders import NOON, a_notification, after, recipients
from tests.counted import Leaps, count_all, differences
from tests.services.scene import Scene

DAY = NOON.date()
HOLD = 10.0  # seconds


@dataclass
class Watch:
    """A scheduler's counting, by ticks that the test moves; what it works takes `cost` seconds a look at the watch."""

    counting: Counting
    leaps: Leaps
    cost: float = 0.0
    worked: float = 0.0

    def count(self, later: float = 0.0) -> int:
        self.leaps.now += later
        return self.counting.count()

    def work(self) -> float:
        self.worked += self.cost
        return self.worked


@pytest.fixture
def watch(scene: Scene) -> Watch:
    leaps = Leaps()
    watch = Watch(None, leaps)  # type: ignore[arg-type] # made in the next line
    watch.counting = build_counting(scene.config, scene.database, scene.clock, Ticks(leaps, watch.work))
    return watch


def failures() -> float:
    return REGISTRY.get_sample_value("notify_statistics_failures_total") or 0


def lag() -> float | None:
    return REGISTRY.get_sample_value("notify_statistics_lag_seconds")


def waiting(scene: Scene) -> set[str]:
    """What the journal names."""
    return {name for mark in Changes(scene.database).marks() for name in mark.notifications}


def figures(scene: Scene, of: Dimension = ALL) -> dict[str, int]:
    """The statuses and reasons of the day."""
    days = Statistics(scene.database).days(of, DAY, DAY, times=False)
    return total(day.tally for day in days)


def test_what_was_delivered_counts_in_all_its_dimensions(scene: Scene) -> None:
    scene.services.people.put("z", {"groups": ["chess"]})
    for user in ("a", "z"):
        scene.register(user)
    scene.accept("a", groups=("chess",), category="news", community="school")
    scene.work()
    assert count_all(scene.database) == 2
    for of in (ALL, Dimension(Kind.CATEGORY, "news"), Dimension(Kind.COMMUNITY, "school", "news")):
        assert figures(scene, of) == {"sent": 2}
    for of in (Dimension(Kind.GROUP, "chess"), Dimension(Kind.GROUP, "chess", "news")):
        assert figures(scene, of) == {"sent": 1}
    assert figures(scene, Dimension(Kind.GROUP, "choir")) == {}
    assert differences(scene.database) == []


def test_late_receipts_and_resends_change_the_day_of_the_entry(scene: Scene) -> None:
    scene.register("a")
    made = scene.accept("a", "b")
    scene.work()
    count_all(scene.database)
    assert figures(scene) == {"sent": 1, "pending": 1, "pending:no_device": 1}
    scene.clock.forward(200_000)
    scene.services.reception.report("a", [Report(made, Status.READ, device="phone")])
    count_all(scene.database)
    assert figures(scene) == {"read": 1, "pending": 1, "pending:no_device": 1}
    assert differences(scene.database) == []


def test_counting_again_changes_nothing(scene: Scene) -> None:
    scene.accept("a", "b")
    scene.work()
    count_all(scene.database)
    before = list(scene.database["statistics"].find())
    assert count_all(scene.database) == 2
    assert list(scene.database["statistics"].find()) == before


def test_a_notification_is_counted_when_its_marks_have_run_out(scene: Scene, watch: Watch) -> None:
    scene.accept("a")
    scene.work()
    assert watch.count() == 0
    assert watch.count(HOLD - 1) == 0
    assert watch.count(1) == 1
    assert scene.database["changes"].count_documents({}) == 0
    assert watch.count(HOLD) == 0


def test_it_waits_for_younger_marks_but_not_for_ever(scene: Scene, watch: Watch) -> None:
    made = scene.accept("a")
    scene.work()
    counted = []
    for _ in range(12):
        scene.database["changes"].insert_one({"ns": packed([made]), "at": NOON, "hold": HOLD})
        counted.append(watch.count(7))
    assert sum(counted) == 1
    assert counted.index(1) == 10


def test_a_mark_that_has_not_run_out_stays(scene: Scene, watch: Watch) -> None:
    scene.accept("a")
    scene.work()
    watch.count()
    later = scene.accept("b")
    scene.work()
    assert watch.count(HOLD) == 1
    assert waiting(scene) == {later}
    watch.count(1)
    assert watch.count(HOLD) == 1
    assert differences(scene.database) == []


def test_it_rests_after_work(scene: Scene, watch: Watch) -> None:
    watch.cost = 0.01
    scene.accept("a")
    scene.work()
    watch.count()
    assert watch.count(HOLD) == 1
    worked = watch.worked
    scene.accept("b")
    scene.work()
    watch.count(0.1)
    assert watch.worked == worked
    watch.count(HOLD)
    assert watch.count(HOLD) == 1


def test_nobody_counts_while_another_has_the_lease(scene: Scene, watch: Watch) -> None:
    scene.accept("a")
    scene.work()
    watch.count()
    leases = Leases(scene.database)
    assert leases.hold("counting", "other", scene.clock(), after(9999))
    assert watch.count(HOLD) == 0
    leases.release("counting", "other")
    assert watch.count(HOLD) == 1
    assert leases.owner("counting") is None


def test_marks_of_what_is_gone_go(scene: Scene, watch: Watch) -> None:
    Registry(scene.database).insert([Arrivals(a_notification().id, None, recipients("a"))], NOON)
    watch.count()
    assert watch.count(ENTERED) == 0
    assert scene.database["changes"].count_documents({}) == 0


def test_large_ones_are_counted_by_chunks_and_not_again_soon(scene: Scene, watch: Watch) -> None:
    made = a_notification()
    Notifications(scene.database).add(made, None)
    users = [f"u{number:04}" for number in range(600)]
    Registry(scene.database).insert([Arrivals(made.id, None, recipients(*users))], NOON)
    scene.database["notifications"].update_one({}, {"$set": {"recipients": 600}})
    watch.cost = 0.1
    watch.count()
    counts = [watch.count(HOLD) for _ in range(3)]
    assert sum(counts) == 600
    Registry(scene.database).move(Event.FAIL, {made.id: users[:5]}, Note(after(1), Reason.UNREGISTERED))
    watch.count()
    assert watch.count(HOLD) == 0
    assert sum(watch.count(HOLD) for _ in range(9)) == 600
    assert figures(scene) == {"pending": 595, "failed": 5, "failed:unregistered": 5}
    assert differences(scene.database) == []


def test_an_erased_person_stays_in_the_figures(scene: Scene) -> None:
    scene.register("a")
    made = scene.accept("a", "b")
    scene.work()
    scene.services.reception.report("a", [Report(made, Status.RECEIVED, after(3), "phone")])
    count_all(scene.database)
    before = figures(scene)
    scene.services.erasing.erase("a")
    count_all(scene.database)
    assert figures(scene) == before == {"received": 1, "pending": 1, "pending:no_device": 1}
    assert differences(scene.database) == []


def test_an_erased_person_of_a_large_one_is_never_counted_twice(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notify_server.storage.counts.SIZE", 2)
    made = scene.accept(*"abcdefg")
    scene.work()
    count_all(scene.database)
    before = figures(scene)
    for user in "dg":
        scene.services.erasing.erase(user)
    counts = Counts(scene.database)
    with CountingLease(Leases(scene.database), "one", scene.clock).held():
        owner = Leases(scene.database).owner("counting") or ""
        assert counts.count_chunk(made, ERASED, owner, NOON) == ChunkCounted(3, last=False)
    assert figures(scene) == before
    [stored] = scene.database["notifications"].find({}, {"bereft": 1})
    assert stored["bereft"] == []
    count_all(scene.database)
    assert figures(scene) == before
    assert differences(scene.database) == []


def test_large_ones_are_counted_before_the_mark_of_their_entries_has_run_out(scene: Scene, watch: Watch) -> None:
    names = [a_notification(id=new_id()).id for _ in range(2)]
    for name, size in zip(names, (600, 2), strict=True):
        Notifications(scene.database).add(a_notification(id=name), None)
        users = [f"u{number:04}" for number in range(size)]
        Registry(scene.database).insert([Arrivals(name, None, recipients(*users))], NOON)
        which = {"_id": object_id(name)}
        scene.database["notifications"].update_one(which, {"$set": {"recipients": size}})
    watch.count()
    assert [watch.count(HOLD) for _ in range(7)] == [600, 0, 0, 0, 0, 0, 600]
    assert len(Changes(scene.database).marks()) == 2
    assert watch.count(ENTERED) == 602
    assert differences(scene.database) == []
    assert scene.database["changes"].count_documents({}) == 0


@pytest.mark.parametrize("recipients", [1, 600])
def test_one_that_cannot_be_counted_holds_up_nobody(scene: Scene, watch: Watch, recipients: int) -> None:
    broken, *others = [scene.accept(user) for user in "abc"]
    scene.work()
    which = {"_id.n": object_id(broken)}
    [entry] = scene.database["registry"].find(which)
    scene.database["registry"].update_one(which, {"$set": {"history": "no history"}})
    scene.database["notifications"].update_many({"_id": object_id(broken)}, {"$set": {"recipients": recipients}})
    watch.count()
    before = failures()
    assert watch.count(HOLD) == len(others)
    assert (waiting(scene), failures()) == ({broken}, before + 1)
    tried = []
    for _ in range(7):
        later = scene.accept("d")
        scene.work()
        watch.count()
        assert watch.count(HOLD) == 1
        assert later not in waiting(scene)
        tried.append(failures() - before)
    assert tried == [2, 2, 3, 3, 3, 3, 4]
    scene.database["registry"].replace_one(which, entry)
    assert watch.count(80) == 1
    assert waiting(scene) == set()
    assert differences(scene.database) == []


@pytest.mark.parametrize("large", [False, True])
def test_what_was_counted_is_settled_though_the_database_goes_away(
    scene: Scene, watch: Watch, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notify_server.services.counting_groups._TOGETHER", 1)
    first, second = scene.accept("a"), scene.accept("b")
    scene.work()
    if large:
        scene.database["notifications"].update_one({"_id": object_id(second)}, {"$set": {"recipients": 600}})
    watch.count()
    watch.cost = 0.001
    counts, tried = watch.counting._counts, list[list[str]]()

    def gone(*_: object) -> None:
        raise DatabaseUnavailable("It is gone.")

    def brief(names: list[str], *rest: Any) -> Any:
        tried.append(names)
        return type(counts).count_brief(counts, names, *rest) if len(tried) == 1 else gone()

    monkeypatch.setattr(counts, "count_brief", brief)
    monkeypatch.setattr(counts, "count_chunk", gone)
    with pytest.raises(DatabaseUnavailable):
        watch.count(HOLD)
    assert waiting(scene) == {first, second} - set(tried[0])
    worked = watch.worked
    assert watch.count() == 0
    assert watch.worked == worked  # it rests
    monkeypatch.undo()
    assert watch.count(HOLD) == 1
    assert waiting(scene) == set()


def test_a_turn_takes_the_oldest_of_what_is_too_much(
    scene: Scene, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notify_server.services.counting._DUE", 2)
    names = [scene.accept(user) for user in "abcde"]
    scene.database["changes"].delete_many({})
    scene.work()
    scene.database["changes"].delete_many({})
    for some in (names[3:], [new_id() for _ in range(3)], names[:3]):
        scene.database["changes"].insert_one({"ns": packed(some), "at": NOON, "hold": HOLD})
        watch.count()
    left = []
    for later in (HOLD, 0, 0, 0):
        watch.count(later)
        left.append(len(waiting(scene)))
    assert left == [6, 4, 2, 0]
    assert differences(scene.database) == []


def test_no_more_of_the_journal_is_read_than_a_turn_can_hold(
    scene: Scene, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notify_server.services.counting._NAMES", 2)
    for user in "abcd":
        scene.accept(user)
        scene.work()
    watch.count()
    assert watch.count(HOLD) == 2
    watch.count()
    assert watch.count(HOLD) == 2
    assert differences(scene.database) == []


def test_who_no_longer_leads_says_nothing_of_the_lag(scene: Scene, watch: Watch) -> None:
    scene.accept("a")
    scene.work()
    scene.clock.forward(99_999_999)
    watch.count()
    assert (lag() or 0) > 0
    watch.counting.stand_by()
    assert lag() == 0
    metrics.COUNTING_LAG.set(7)
    watch.counting.stand_by()  # another of this machine leads meanwhile
    assert lag() == 7
