from collections.abc import Iterator
from typing import Any

import pytest

from notify_server.domain.registry import Status
from notify_server.storage.documents import Store, new_id
from notify_server.storage.updates import COLLECTION, SIZE, Following, Update, Updates


@pytest.fixture
def updates(database: Store) -> Updates:
    database[COLLECTION].insert_one({})  # as the migration does
    return Updates(database)


def heard(following: Following, count: int) -> list[Update]:
    """The next updates; the test's own timeout ends a wait in vain."""
    found: list[Update] = []
    while len(found) < count:
        listening: Iterator[Update | None] = following.heard()
        for update in listening:
            found += [update] if update is not None else []
            if len(found) == count:
                break
    return found


def test_an_update_arrives_as_it_was_sent(database: Store, updates: Updates) -> None:
    following = Following(database)
    sent = [
        Update("ada", {new_id(): Status.READ, new_id(): Status.RECEIVED}, origin="s1"),
        Update("a.b$", {new_id(): Status.READ}, is_read=False),
        Update("ada", marked={"groups": ["g"], "categories": None, "before": None}),
    ]
    for update in sent:
        updates.send(update)
    assert heard(following, 3) == sent


def test_everybody_hears_each_once_and_nothing_of_the_past(database: Store, updates: Updates) -> None:
    updates.send(Update("past"))
    _await(database, "past")
    followers = [Following(database), Following(database)]
    for user in ("a", "b"):
        updates.send(Update(user))
    assert [[update.user for update in heard(each, 2)] for each in followers] == [["a", "b"]] * 2


def test_a_cursor_that_ended_goes_on_where_it_was(database: Store, updates: Updates) -> None:
    following = Following(database)
    updates.send(Update("a"))
    assert [update.user for update in heard(following, 1)] == ["a"]
    updates.send(Update("b"))
    assert [update.user for update in heard(following, 1)] == ["b"]


def test_where_its_place_was_overwritten_it_goes_on_with_what_is_left(database: Store, updates: Updates) -> None:
    following = Following(database)
    updates.send(Update("a"))
    assert heard(following, 1)
    database[COLLECTION].delete_many({})
    updates.send(Update("b"))
    assert [update.user for update in heard(following, 1)] == ["b"]


def test_the_collection_is_bounded(database: Store) -> None:
    options: dict[str, Any] = database[COLLECTION].options()
    assert (options["capped"], options["size"]) == (True, SIZE)


def _await(database: Store, user: str) -> None:
    """It is sent without waiting for an answer."""
    while database[COLLECTION].find_one({"user": user}) is None:
        pass
