import pytest

from notify_server.errors import NotFound
from notify_server.storage.changes import Changes, packed, unpacked
from notify_server.storage.documents import Store, new_id
from tests.builders import NOON


@pytest.fixture
def changes(database: Store) -> Changes:
    return Changes(database)


def mark(database: Store, *names: str) -> None:
    database["changes"].insert_one({"ns": packed(names), "at": NOON, "hold": 10.0})


def test_marks_name_notifications(changes: Changes, database: Store) -> None:
    names = [new_id(), new_id()]
    mark(database, *names)
    [found] = changes.marks()
    assert (found.notifications, found.at, found.hold) == (names, NOON, 10.0)


def test_no_more_are_read_than_asked_for(changes: Changes, database: Store) -> None:
    for _ in range(3):
        mark(database, new_id())
    assert len(changes.marks(2)) == 2
    assert len(changes.marks()) == 3


def test_the_oldest_are_read_until_they_name_enough(changes: Changes, database: Store) -> None:
    names = [new_id() for _ in range(6)]
    for start in (0, 2, 4):
        mark(database, *names[start : start + 2])
    assert [found.notifications for found in changes.marks(most=3)] == [names[:2], names[2:4]]
    assert [found.notifications for found in changes.marks(1, most=3)] == [names[:2]]
    assert len(changes.marks(most=7)) == 3


def test_what_was_counted_is_taken_off_and_empty_marks_go(changes: Changes, database: Store) -> None:
    one, other, third = new_id(), new_id(), new_id()
    mark(database, one, other)
    mark(database, third)
    first, second = changes.marks()
    changes.settle([(first, [one]), (second, [third])])
    assert [found.notifications for found in changes.marks()] == [[other]]
    changes.settle([])
    changes.settle([(first, [one, other])])
    assert changes.marks() == []


def test_ids_are_packed_and_unpacked() -> None:
    names = [new_id() for _ in range(3)]
    assert unpacked(packed(names)) == names
    assert len(packed(names)) == 36


@pytest.mark.parametrize("name", ["nonsense", "ab", "0" * 26, ""])
def test_what_cannot_be_an_id_is_refused(name: str) -> None:
    with pytest.raises(NotFound):
        packed([new_id(), name])
