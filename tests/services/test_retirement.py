from collections.abc import Callable
from dataclasses import replace

import pytest

from notify_server.bootstrap import build_retirement
from notify_server.domain.registry import Status
from notify_server.domain.statistics import ALL
from notify_server.errors import NotFound
from notify_server.services.reception import Report
from notify_server.storage.changes import packed
from notify_server.storage.documents import object_id
from notify_server.storage.leases import Leases
from notify_server.storage.statistics import ARCHIVE, Statistics
from tests.builders import NOON, after
from tests.counted import Leaps, count_all, differences
from tests.services.scene import Scene

DAY = 86_400  # seconds


@pytest.fixture
def leaps() -> Leaps:
    return Leaps()


@pytest.fixture
def retire(scene: Scene, leaps: Leaps) -> Callable[[], int]:
    return build_retirement(replace(scene.config, registry_days=2), scene.database, scene.clock, leaps).retire


def figures(scene: Scene, collection: str = "statistics") -> dict[str, int]:
    days = Statistics(scene.database, collection).days(ALL, NOON.date(), NOON.date(), times=False)
    return dict(days[0].tally) if days else {}


def over(scene: Scene, *users: str) -> str:
    """A notification that was delivered and is closed, three days ago."""
    for user in users:
        scene.register(user)
    made = scene.accept(*users, ttl=60)
    scene.work()
    scene.services.reception.report(users[0], [Report(made, Status.READ)])
    scene.clock.forward(3 * DAY)
    scene.upkeep.expire()
    count_all(scene.database)
    scene.database["changes"].delete_many({})
    return made


def test_an_old_one_goes_and_its_figures_stay(scene: Scene, retire: Callable[[], int]) -> None:
    made = over(scene, "a", "b")
    recent = scene.accept("a")
    scene.work()
    assert [retire(), retire(), retire()] == [0, 1, 0]
    with pytest.raises(NotFound):
        scene.services.inspection.get(made)
    assert scene.standing(made) == {}
    assert figures(scene) == figures(scene, ARCHIVE) == {"read": 1, "sent": 1}
    assert scene.services.reception.report("b", [Report(made, Status.READ)]) == [0]
    count_all(scene.database)
    assert differences(scene.database) == []
    assert scene.standing(recent).keys() == {"a"}


def test_what_is_open_or_young_stays(scene: Scene, retire: Callable[[], int]) -> None:
    scene.accept("a", ttl=28 * DAY)
    scene.work()
    scene.clock.forward(3 * DAY)
    scene.upkeep.expire()
    over_now = scene.accept("a", ttl=60)
    scene.work()
    scene.clock.forward(61)
    scene.upkeep.expire()
    scene.database["changes"].delete_many({})
    assert [retire(), retire()] == [0, 0]
    assert len(scene.standing(over_now)) == 1
    assert scene.database["archive"].count_documents({}) == 0


def test_without_the_setting_everything_stays(scene: Scene, leaps: Leaps) -> None:
    made = over(scene, "a")
    retire = build_retirement(scene.config, scene.database, scene.clock, leaps).retire
    assert [retire(), retire()] == [0, 0]
    assert len(scene.standing(made)) == 1


def test_large_ones_are_counted_by_chunks(
    scene: Scene, retire: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notify_server.services.counting_groups.BRIEF", 1)
    monkeypatch.setattr("notify_server.services.retirement._PAGE", 1)
    monkeypatch.setattr("notify_server.services.retirement._PAGES", 1)
    over(scene, "a", "b")
    assert [retire() for _ in range(4)] == [0, 0, 0, 1]
    assert figures(scene) == {"read": 1, "sent": 1}


def test_nobody_retires_while_another_counts(scene: Scene, retire: Callable[[], int]) -> None:
    made = over(scene, "a")
    leases = Leases(scene.database)
    assert leases.hold("counting", "other", scene.clock(), after(9 * DAY))
    assert [retire(), retire()] == [0, 0]
    assert len(scene.standing(made)) == 1
    leases.release("counting", "other")
    assert [retire(), retire()] == [0, 1]


def test_erasures_and_receipts_that_come_in_between_do_no_harm(scene: Scene, retire: Callable[[], int]) -> None:
    made = over(scene, "a", "b")
    retire()  # its figures are in the archive, its entries are there
    assert scene.services.reception.report("b", [Report(made, Status.READ)]) == []
    scene.services.erasing.erase("a")
    count_all(scene.database)
    assert figures(scene) == {"read": 1, "sent": 1}
    assert retire() == 1
    count_all(scene.database)
    assert differences(scene.database) == []
    assert scene.database["tallies"].count_documents({"_id.n": object_id(made)}) == 0


def test_it_rests_after_work(scene: Scene) -> None:
    now = 0.0

    def ticks() -> float:
        nonlocal now
        now += 1.0
        return now

    over(scene, "a")
    retire = build_retirement(replace(scene.config, registry_days=2), scene.database, scene.clock, ticks).retire
    assert sum(retire() for _ in range(15)) == 0
    assert sum(retire() for _ in range(15)) == 1


@pytest.mark.parametrize("limit", [500, 1])
def test_what_is_marked_stays_until_it_was_counted(
    scene: Scene, retire: Callable[[], int], leaps: Leaps, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notify_server.services.counting_groups.BRIEF", limit)
    made = over(scene, "a", "b")
    scene.services.reception.report("b", [Report(made, Status.READ)])
    scene.database["changes"].insert_one({"ns": packed([made]), "at": NOON, "hold": 10.0})  # the last one was removed
    assert [retire(), retire()] == [0, 0]
    assert len(scene.standing(made)) == 2
    count_all(scene.database)
    scene.database["changes"].delete_many({})
    assert [retire(), retire()] == [0, 0]
    leaps.now += 20
    assert [retire(), retire()] == [0, 1]
    assert figures(scene, ARCHIVE) == {"read": 2}
    assert differences(scene.database) == []


@pytest.mark.parametrize("limit", [500, 0])
def test_one_that_cannot_be_retired_holds_up_nobody(
    scene: Scene, retire: Callable[[], int], leaps: Leaps, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notify_server.services.counting_groups.BRIEF", limit)
    monkeypatch.setattr("notify_server.services.retirement._AT_ONCE", 2)
    broken = over(scene, "a")
    others = [over(scene, user) for user in "bc"]
    which = {"_id.n": object_id(broken)}
    [entry] = scene.database["registry"].find(which)
    scene.database["registry"].update_one(which, {"$set": {"history": "no history"}})
    assert sum(retire() for _ in range(6)) == len(others)
    assert len(scene.standing(broken)) == 1
    scene.database["registry"].replace_one(which, entry)
    assert [retire(), retire()] == [0, 0]
    leaps.now += 10
    assert [retire(), retire()] == [0, 1]
    assert figures(scene, ARCHIVE)["read"] == 1
    assert differences(scene.database) == []


def test_entries_go_page_after_page(scene: Scene, retire: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notify_server.services.retirement._PAGE", 2)
    made = over(scene, *"abcde")
    assert [retire(), retire()] == [0, 1]
    assert scene.standing(made) == {}
