from typing import Any

import pytest

from notify_server.bootstrap import build_verification
from notify_server.domain.registry import Status
from notify_server.services.reception import Report
from notify_server.services.verdict import Difference
from notify_server.services.verification import Verification
from notify_server.storage.documents import object_id
from tests.counted import count_all, differences
from tests.services.scene import Scene


@pytest.fixture
def settled(scene: Scene) -> str:
    """A notification that was delivered, counted, and is not marked."""
    scene.register("a")
    made = scene.accept("a", "b", groups=("chess",))
    scene.work()
    count_all(scene.database)
    scene.database["changes"].delete_many({})
    return made


def plant(scene: Scene, collection: str, which: dict[str, Any], change: dict[str, Any]) -> None:
    assert scene.database[collection].update_one(which, change).modified_count == 1


def repaired(scene: Scene) -> bool:
    differences(scene.database, repair=True)
    return differences(scene.database) == []


def test_what_was_counted_differs_in_nothing(scene: Scene, settled: str) -> None:
    verdict = build_verification(scene.config, scene.database).verify(pytest.fail)
    assert (verdict.notifications, verdict.entries, verdict.differences, verdict.unsettled) == (1, 2, 0, [])
    assert verdict.rollups == scene.database["statistics"].count_documents({}) > 0


def test_an_entry_that_was_changed_behind_our_back_is_found_and_repaired(scene: Scene, settled: str) -> None:
    plant(scene, "registry", {"_id.n": object_id(settled), "_id.u": "a"}, {"$set": {"status": "failed"}})
    [found] = differences(scene.database)
    assert found == (
        f"notification {settled}: {{'2026-11-20T12:00 failed': 0, '2026-11-20T12:00 sent': 1}}, "
        "not {'2026-11-20T12:00 failed': 1, '2026-11-20T12:00 sent': 0}"
    )
    assert repaired(scene)


def test_a_wrong_tally_is_found_and_repaired_with_its_roll_ups(scene: Scene, settled: str) -> None:
    plant(scene, "tallies", {"_id.n": object_id(settled)}, {"$set": {"parts.0.t.sent": 5}})
    found = differences(scene.database)
    assert len(found) > 1
    assert found[0].startswith(f"notification {settled}")
    assert repaired(scene)


def test_a_wrong_roll_up_is_found_and_repaired(scene: Scene, settled: str) -> None:
    plant(scene, "statistics", {"_id.g": "month", "_id.k": "all"}, {"$inc": {"t.sent": 5}})
    assert differences(scene.database) == ["month 2026-11 of all: {'t.sent': 6}, not {'t.sent': 1}"]
    assert repaired(scene)


def test_a_tally_of_what_is_gone_is_found_and_repaired(scene: Scene, settled: str) -> None:
    scene.database["notifications"].delete_one({"_id": object_id(settled)})
    found = differences(scene.database)
    assert found[0] == f"tally 0 of notification {settled}, which is gone: {{'parts': 1}}, not {{'parts': 0}}"
    assert len(found) > 1
    assert repaired(scene)


def test_a_chunk_too_many_is_found_and_repaired(scene: Scene, settled: str) -> None:
    tallies = scene.database["tallies"]
    [chunk] = tallies.find()
    tallies.insert_one(chunk | {"_id": {"n": chunk["_id"]["n"], "c": 7}})
    assert differences(scene.database)[0].startswith(f"notification {settled}")
    assert repaired(scene)


def test_what_is_marked_is_looked_at_again_and_then_told_apart(scene: Scene, settled: str) -> None:
    scene.services.reception.report("a", [Report(settled, Status.READ)])
    looks: list[float] = []
    found: list[Difference] = []
    verification = _patient(scene, 3, looks.append)
    verdict = verification.verify(found.append)
    assert (verdict.unsettled, verdict.differences, found, looks) == ([settled], 0, [], [1.0, 1.0, 1.0])


def test_it_waits_until_the_scheduler_has_counted(scene: Scene, settled: str) -> None:
    scene.services.reception.report("a", [Report(settled, Status.READ)])
    verdict = _patient(scene, 3, lambda _: [count_all(scene.database)]).verify(pytest.fail)
    assert (verdict.unsettled, verdict.differences, verdict.notifications) == ([], 0, 1)


def _patient(scene: Scene, patience: float, pause: Any) -> Verification:
    verification = build_verification(scene.config, scene.database, patience=patience)
    verification._pause = pause
    return verification
