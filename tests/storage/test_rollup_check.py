import pytest

from notify_server.domain.statistics import Labels, Part
from notify_server.storage.documents import Document, Store
from notify_server.storage.rollup_check import CHECK, RollupCheck, Unequal
from notify_server.storage.statistics import ARCHIVE, Statistics
from tests.builders import NOON

LABELS = [Labels(None, None), Labels("a", "é"), Labels("ä", "z"), Labels("\U0001f600", "\uffff")]
DAY_OF_ALL: Document = {"g": "day", "k": "all", "v": "", "c": None, "p": "2026-11-20"}


@pytest.fixture
def check(database: Store) -> RollupCheck:
    """Roll-ups of some labels, half of them from the archive, and made anew."""
    for labels in LABELS:
        part = Part(NOON, None, {"read": 3, "received@5": 3})
        Statistics(database).add([(labels, part), (labels, part)])
        Statistics(database, ARCHIVE).add([(labels, part)])
    check = RollupCheck(database)
    list(check.begin())
    for labels in LABELS:
        list(check.add([(labels, Part(NOON, None, {"read": 3, "received@5": 3}))]))
    return check


def unequal(check: RollupCheck) -> list[Unequal]:
    return [found for found in check.unequal() if found is not None]


def test_equal_ones_are_not_told(check: RollupCheck, database: Store) -> None:
    assert unequal(check) == []
    assert check.end() == database["statistics"].count_documents({})
    assert CHECK not in database.list_collection_names()


def test_a_wrong_count_a_missing_one_and_one_too_many_are_found_and_corrected(
    check: RollupCheck, database: Store
) -> None:
    kept = database["statistics"]
    kept.update_one({"_id": DAY_OF_ALL}, {"$inc": {"t.read": 2, "q.48.failed": 1}})
    missing = kept.find_one_and_delete({"_id.g": "part", "_id.v": "z"}) or {}
    kept.insert_one({"_id": DAY_OF_ALL | {"k": "group", "v": "nobody"}, "t": {"sent": 0, "read": 4}})
    kept.insert_one({"_id": DAY_OF_ALL | {"k": "group", "v": "nothing"}, "t": {"sent": 0}})
    assert unequal(check) == [
        Unequal(DAY_OF_ALL, {"t.read": 26, "q.48.failed": 1}, {"t.read": 24, "q.48.failed": 0}),
        Unequal(DAY_OF_ALL | {"k": "group", "v": "nobody"}, {"t.read": 4}, {"t.read": 0}),
        Unequal(missing["_id"], {"h.48.received@5": 0}, {"h.48.received@5": 6}),
    ]
    for found in unequal(check):
        check.correct(found)
    assert unequal(check) == []


def test_beginning_again_forgets_what_was_made(check: RollupCheck) -> None:
    list(check.begin())
    assert {frozenset(found.expected.values()) for found in unequal(check)} == {frozenset({3}), frozenset({12})}


def test_time_passes_while_it_begins_and_adds(check: RollupCheck, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notify_server.storage.rollup_check._PAGE", 5)
    monkeypatch.setattr("notify_server.storage.rollup_check._PARTS", 2)
    assert len(list(check.begin())) > 1
    parts = [(labels, Part(NOON, None, {"read": 3, "received@5": 3})) for labels in LABELS]
    assert len(list(check.add([*parts, parts[0]]))) == 3


def test_time_passes_between_pages(database: Store) -> None:
    parts = [(Labels(f"c{number:04}", None), Part(NOON, None, {"sent": 1})) for number in range(400)]
    Statistics(database).add(parts)
    check = RollupCheck(database)
    list(check.begin())
    list(check.add(parts))
    assert list(check.unequal()) == [None]
