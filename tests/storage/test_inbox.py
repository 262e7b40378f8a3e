from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId

from notify_server.domain.audience import Recipient
from notify_server.domain.inbox import VISIBLE, Place
from notify_server.domain.registry import Event, Note, Reason, Status
from notify_server.errors import NotFound
from notify_server.storage.documents import Store, entry_id, new_id, object_id
from notify_server.storage.inbox import Inbox, Selection
from notify_server.storage.registry import Arrivals, Registry
from tests.builders import NOON, after, at_once

LINE = Note(after(60), detail="inbox")


def id_of(second: int) -> str:
    """An id that was made so many seconds after NOON."""
    stamp = int((NOON + timedelta(seconds=second)).timestamp()).to_bytes(4, "big")
    return str(ObjectId(stamp + ObjectId().binary[4:]))


@pytest.fixture
def inbox(database: Store) -> Inbox:
    return Inbox(database)


@pytest.fixture
def enter(database: Store) -> Any:
    """Enters a notification for u1, and for another one; its id."""

    def write(*groups: str, category: str | None = None, identity: str | None = None, **muted: Any) -> str:
        made = identity or new_id()
        who = [Recipient("u1", groups, **muted), Recipient("u2", groups)]
        Registry(database).insert([Arrivals(made, category, who)], NOON)
        return made

    return write


def stored(database: Store, notification: str, user: str = "u1") -> dict[str, Any]:
    found = database["registry"].find_one({"_id": entry_id(object_id(notification), user)})
    assert found is not None
    return found


def listed(inbox: Inbox, *places: Place, after: str | None = None, limit: int = 99, **filters: str) -> list[str]:
    return [entry.notification for entry in inbox.page("u1", places or VISIBLE, filters, after, limit)]


def test_a_page_is_newest_first_and_goes_on_after_an_entry(inbox: Inbox, enter: Any) -> None:
    made = [enter() for _ in range(5)]
    assert listed(inbox, limit=2) == [made[4], made[3]]
    assert listed(inbox, after=made[3]) == [made[2], made[1], made[0]]


def test_read_and_unread_ones_are_listed_in_one_order_or_apart(inbox: Inbox, enter: Any) -> None:
    made = [enter() for _ in range(4)]
    for notification in made[::2]:
        inbox.mark_one("u1", notification, LINE, read=True)
    assert listed(inbox) == made[::-1]
    assert listed(inbox, Place.READ) == [made[2], made[0]]
    assert listed(inbox, Place.UNREAD) == [made[3], made[1]]
    assert inbox.unread("u1") == 2
    assert inbox.unread_of(["nobody", "u1"]) == {"u1": 2}


def test_a_page_can_be_of_one_group_and_one_category(inbox: Inbox, enter: Any) -> None:
    both = enter("choir", "chess", category="news")
    choir = enter("choir")
    news = enter(category="news")
    assert listed(inbox, groups="choir") == [choir, both]
    assert listed(inbox, category="news") == [news, both]
    assert listed(inbox, groups="chess", category="news") == [both]


@pytest.mark.parametrize("event", [Event.CANCEL, Event.EXPIRE, Event.MUTE])
def test_what_was_taken_back_is_nowhere(inbox: Inbox, enter: Any, database: Store, event: Event) -> None:
    gone, muted = enter(), enter(suppressed=Reason.MUTED_GROUP)
    Registry(database).move(event, {gone: ["u1"]}, Note(NOON, Reason.TTL_OVER))
    assert listed(inbox) == []
    assert inbox.unread("u1") == 0
    assert inbox.find("u1", gone) is inbox.find("u1", muted) is None
    inbox.mark_one("u1", gone, LINE, read=True)
    assert inbox.mark_read("u1", Selection(), LINE) == 0
    assert (stored(database, gone)["status"], stored(database, gone)["inbox"]) == (
        {Event.CANCEL: "cancelled", Event.EXPIRE: "expired", Event.MUTE: "suppressed"}[event],
        "hidden",
    )


def test_what_failed_is_there(inbox: Inbox, enter: Any, database: Store) -> None:
    failed = enter()
    Registry(database).move(Event.FAIL, {failed: ["u1"]}, Note(NOON, Reason.UNREGISTERED))
    assert listed(inbox) == [failed]


def test_one_entry_is_found_by_its_user_alone(inbox: Inbox, enter: Any) -> None:
    made = enter("choir")
    found = inbox.find("u1", made)
    assert found is not None
    assert (found.status, found.place, found.groups, found.read_at) == (Status.PENDING, Place.UNREAD, ["choir"], None)
    assert inbox.find("stranger", made) is None
    with pytest.raises(NotFound):
        inbox.find("u1", "nonsense")


def test_a_read_is_a_receipt_that_implies_received(inbox: Inbox, enter: Any, database: Store) -> None:
    made = enter()
    inbox.mark_one("u1", made, LINE, read=True)
    entry = stored(database, made)
    assert (entry["status"], entry["received_at"], entry["read_at"]) == ("read", after(60), after(60))
    assert entry["history"][1:] == [{"status": "read", "at": after(60), "detail": "inbox"}]
    assert stored(database, made, "u2")["status"] == "pending"


def test_a_read_keeps_the_time_at_which_a_device_received_it(inbox: Inbox, enter: Any, database: Store) -> None:
    made = enter()
    Registry(database).move(Event.RECEIVE, {made: ["u1"]}, Note(after(5)))
    assert inbox.mark_read("u1", Selection(), LINE) == 1
    assert (stored(database, made)["received_at"], stored(database, made)["read_at"]) == (after(5), after(60))


def test_unread_again_is_a_mark_beside_the_status(inbox: Inbox, enter: Any, database: Store) -> None:
    made = enter()
    inbox.mark_one("u1", made, LINE, read=True)
    read = stored(database, made)
    inbox.mark_one("u1", made, Note(after(90)), read=False)
    assert stored(database, made) == read | {"inbox": "unread"}
    inbox.mark_one("u1", made, Note(after(120)), read=True)
    assert stored(database, made) == read


def test_marking_what_is_marked_so_changes_nothing(inbox: Inbox, enter: Any, database: Store) -> None:
    made = enter()
    before = stored(database, made)
    inbox.mark_one("u1", made, LINE, read=False)
    assert stored(database, made) == before
    inbox.mark_one("u1", made, LINE, read=True)
    read = stored(database, made)
    inbox.mark_one("u1", made, Note(after(90)), read=True)
    assert stored(database, made) == read


def test_marking_all_counts_what_was_unread_and_again_counts_nothing(inbox: Inbox, enter: Any, database: Store) -> None:
    made = [enter() for _ in range(4)]
    inbox.mark_one("u1", made[0], LINE, read=True)
    inbox.mark_one("u1", made[1], LINE, read=True)
    inbox.mark_one("u1", made[1], LINE, read=False)
    assert inbox.mark_read("u1", Selection(), LINE) == 3
    assert inbox.mark_read("u1", Selection(), LINE) == 0
    assert inbox.unread("u1") == 0
    assert {entry["status"] for entry in database["registry"].find({"_id.u": "u2"})} == {"pending"}


def test_groups_and_categories_are_marked_together(inbox: Inbox, enter: Any) -> None:
    enter("choir")
    enter("chess", category="news")
    left = enter("golf", category="sport")
    assert inbox.mark_read("u1", Selection(["choir"], ["news"]), LINE) == 2
    assert inbox.mark_read("u1", Selection(categories=["news"]), LINE) == 0
    assert listed(inbox, Place.UNREAD) == [left]


def test_a_bound_leaves_out_its_own_second_but_for_those_named(inbox: Inbox, enter: Any) -> None:
    early, one, other, late = (enter(identity=id_of(second)) for second in (8, 9, 9, 10))
    assert sorted(inbox.accepted_in("u1", after(9.5))) == sorted([one, other])
    assert inbox.mark_read("u1", Selection(before=after(9.5), besides=[one]), LINE) == 2
    assert sorted(listed(inbox, Place.UNREAD)) == sorted([other, late])
    assert listed(inbox, Place.READ) == [one, early]


def test_unread_ones_are_counted_by_kind(inbox: Inbox, enter: Any) -> None:
    for _ in range(3):
        enter("choir", "chess", category="news")
    enter()
    inbox.mark_one("u1", enter("choir"), LINE, read=True)
    kinds = {(category, tuple(groups)): count for category, groups, count in inbox.unread_alike("u1")}
    assert kinds == {("news", ("choir", "chess")): 3, (None, ()): 1}


def test_marks_that_race_with_receipts_and_cancels_leave_one_line_for_each_state(
    inbox: Inbox, enter: Any, database: Store
) -> None:
    made, registry = enter(), Registry(database)
    at_once(
        lambda: inbox.mark_read("u1", Selection(), LINE),
        lambda: inbox.mark_one("u1", made, LINE, read=True),
        lambda: registry.move(Event.READ, {made: ["u1"]}, Note(datetime.now(UTC))),
        lambda: registry.move(Event.SEND, {made: ["u1"]}, Note(NOON)),
    )
    lines = [line["status"] for line in stored(database, made)["history"]]
    assert lines in (["pending", "read"], ["pending", "sent", "read"])
