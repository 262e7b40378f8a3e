from typing import Any

import pytest

from notify_server.domain.inbox import VISIBLE, Place
from notify_server.domain.registry import Event, Note, Reason
from notify_server.storage.documents import Store, new_id
from notify_server.storage.inbox import Inbox
from notify_server.storage.inbox_pages import REACH, InboxPages, Walk
from notify_server.storage.registry import Arrivals, Registry
from tests.builders import NOON, recipients

EVERYONE = None


@pytest.fixture
def pages(database: Store) -> InboxPages:
    return InboxPages(database)


def enter(database: Store, *users: str) -> str:
    made = new_id()
    Registry(database).insert([Arrivals(made, None, recipients(*users))], NOON)
    return made


def listed(pages: InboxPages, walk: Walk, skip: int = 0, limit: int = 99) -> list[tuple[str, str]]:
    return [(entry.notification, entry.user) for entry in pages.page(walk, skip, limit)]


@pytest.mark.parametrize("user", ["u1", EVERYONE])
def test_a_walk_goes_either_way_and_begins_where_it_is_told(database: Store, pages: InboxPages, user: Any) -> None:
    made = [(enter(database, "u1"), "u1") for _ in range(5)]
    assert listed(pages, Walk(user, VISIBLE, newest_first=True)) == made[::-1]
    assert listed(pages, Walk(user, VISIBLE, newest_first=False)) == made
    assert listed(pages, Walk(user, VISIBLE, newest_first=False), 2, 2) == made[2:4]
    assert listed(pages, Walk(user, VISIBLE, newest_first=False), 5, 2) == []


@pytest.mark.parametrize("user", ["u1", EVERYONE])
def test_only_what_lies_in_the_places_is_walked_and_counted(database: Store, pages: InboxPages, user: Any) -> None:
    first, second, third = (enter(database, "u1") for _ in range(3))
    Inbox(database).mark_one("u1", second, Note(NOON), read=True)
    hidden = enter(database, "u1")
    Registry(database).move_all(Event.CANCEL, hidden, Note(NOON, Reason.CANCELLED_BY_BACKEND))
    for places, found in (
        (VISIBLE, [first, second, third]),
        ([Place.READ], [second]),
        ([Place.UNREAD], [first, third]),
    ):
        walk = Walk(user, places, newest_first=False)
        assert [notification for notification, _ in listed(pages, walk)] == found
        assert pages.count(walk) == len(found)


def test_a_walk_of_one_user_has_nothing_of_others(database: Store, pages: InboxPages) -> None:
    made = enter(database, "u1", "u2")
    assert listed(pages, Walk("u2", VISIBLE, newest_first=True)) == [(made, "u2")]
    assert pages.count(Walk("u2", VISIBLE, newest_first=True)) == 1
    assert listed(pages, Walk(EVERYONE, VISIBLE, newest_first=True)) == [(made, "u2"), (made, "u1")]
    assert pages.count(Walk("u3", VISIBLE, newest_first=True)) == 0


def test_no_walk_reads_more_than_the_reach(database: Store, pages: InboxPages) -> None:
    users = [f"u{number:05}" for number in range(REACH + 50)]
    oldest = enter(database, "u1")
    enter(database, *users)
    for _ in range(2):
        enter(database, "u1")
    for places, ends in ((VISIBLE, REACH), ([Place.READ], 0)):
        for newest_first in (True, False):
            assert pages.count(Walk(EVERYONE, places, newest_first)) == ends
    everyone = Walk(EVERYONE, VISIBLE, newest_first=True)
    assert len(listed(pages, everyone, REACH - 3, 99)) == 3
    assert (oldest, "u1") not in listed(pages, everyone, 0, REACH + 99)
    database.command("profile", 2)
    pages.count(Walk(EVERYONE, [Place.READ], newest_first=True))
    pages.page(Walk(EVERYONE, [Place.READ], newest_first=True), 0, 20)
    database.command("profile", 0)
    read = [
        query["docsExamined"] for query in database["system.profile"].find({"op": "command"}) if "docsExamined" in query
    ]
    database["system.profile"].drop()
    assert max(read) <= REACH + 1
