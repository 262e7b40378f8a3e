from collections.abc import Iterator
from typing import Any, cast

import pytest

from notify_server.domain.registry import Status
from notify_server.storage.documents import Store, new_id
from notify_server.storage.updates import COLLECTION, SIZE, Erased, Following, Forgetting, Update, Updates
from tests.services.interruption import Interrupted


@pytest.fixture
def updates(database: Store) -> Updates:
    database[COLLECTION].insert_one({})  # as the migration does
    return Updates(database)


def heard(following: Following, count: int) -> list[Any]:
    """The next updates; the test's own timeout ends a wait in vain."""
    found: list[Update | Erased] = []
    while len(found) < count:
        listening: Iterator[Update | Erased | None] = following.heard()
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


def test_who_was_erased_is_heard_of_without_their_name(database: Store, updates: Updates) -> None:
    following = Following(database)
    updates.send(Erased("a pseudonym"))
    assert heard(following, 1) == [Erased("a pseudonym")]


def test_everybody_hears_each_once_and_nothing_of_the_past(database: Store, updates: Updates) -> None:
    updates.send(Update("past"))
    _await(database, "past")
    followers = [Following(database), Following(database)]
    for user in ("a", "b"):
        updates.send(Update(user))
    assert [[update.user for update in heard(each, 2)] for each in followers] == [["a", "b"]] * 2


def test_who_is_forgotten_is_in_no_update_and_listeners_go_on(database: Store, updates: Updates) -> None:
    following = Following(database)
    for user in ("ada", "b"):
        updates.send(Update(user, {new_id(): Status.READ}, origin="s"))
        _await(database, user)
    listening = following.heard()
    heard_so_far = [next(update for update in listening if update is not None).user for _ in range(2)]
    assert heard_so_far == ["ada", "b"]
    Forgetting(database).forget("ada")
    Forgetting(database).forget("b")
    updates.send(Update("c"))
    assert next(update for update in listening if update is not None).user == "c"
    assert [document["user"] for document in database[COLLECTION].find() if document.get("statuses")] == []


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


@pytest.mark.parametrize("operation", range(1, 5))
def test_nothing_is_swallowed_wherever_its_place_is_overwritten(
    database: Store, updates: Updates, operation: int
) -> None:
    def overwrite() -> None:
        database[COLLECTION].delete_many({})
        updates.send(Update("new"))
        _await(database, "new")

    interrupted = Interrupted(database, operation, overwrite)
    following = Following(cast("Store", interrupted))
    updates.send(Update("old"))
    found, silent = set[str](), 0
    while "new" not in found:
        for update in following.heard():
            found |= {update.user} if update is not None else set()
            silent += update is None and interrupted.happened
            assert silent < 3
            if not interrupted.happened or "new" in found:
                break  # and begin again, as after a cursor that died


def test_the_collection_is_bounded(database: Store) -> None:
    options: dict[str, Any] = database[COLLECTION].options()
    assert (options["capped"], options["size"]) == (True, SIZE)


def _await(database: Store, user: str) -> None:
    """It is sent without waiting for an answer."""
    while database[COLLECTION].find_one({"user": user}) is None:
        pass
