from typing import Any

import pytest

from notify_server.domain.audience import Recipient
from notify_server.domain.notification import Audience
from notify_server.domain.registry import Event, Note, Reason, Status
from notify_server.domain.user import Mutable
from notify_server.storage.documents import Store, entry_id, object_id
from notify_server.storage.notifications import Notifications
from notify_server.storage.registry import Arrivals, Registry
from notify_server.storage.subscriptions import Subscriptions
from notify_server.storage.users import Users
from tests.builders import NOON, a_notification, after, at_once

MUTED = Reason.MUTED_CATEGORY


@pytest.fixture
def subscriptions(database: Store) -> Subscriptions:
    Users(database).mention(["u1", "u2"], None, NOON)
    return Subscriptions(database)


@pytest.fixture
def registry(database: Store) -> Registry:
    return Registry(database)


@pytest.fixture
def enter(database: Store, registry: Registry) -> Any:
    """Stores a notification with an entry of u1 and one of u2, who were reached through `groups`; its id."""

    def write(*groups: str, **fields: Any) -> str:
        made = a_notification(**fields)
        Notifications(database).add(made, None)
        who = [Recipient("u1", groups), Recipient("u2", groups)]
        registry.insert([Arrivals(made.id, made.category, who)], NOON)
        return made.id

    return write


def stored(database: Store, notification: str, user: str = "u1") -> dict[str, Any]:
    found = database["registry"].find_one({"_id": entry_id(object_id(notification), user)})
    assert found is not None
    return found


def muted(database: Store, user: str = "u1") -> Any:
    found = Users(database).get(user)
    return sorted(found.muted_groups), sorted(found.muted_categories)


def test_a_name_is_muted_once_and_unmuted(database: Store, subscriptions: Subscriptions) -> None:
    for kind, name in ((Mutable.GROUPS, "choir"), (Mutable.GROUPS, "choir"), (Mutable.CATEGORIES, "news")):
        assert subscriptions.mute("u1", kind, name, 9, NOON)
    assert muted(database) == (["choir"], ["news"])
    assert database["users"].find_one({"_id": "u1"})["muted"]["groups"] == ["choir"]  # type: ignore[index]
    subscriptions.unmute("u1", Mutable.GROUPS, "choir", NOON)
    subscriptions.unmute("u1", Mutable.GROUPS, "chess", NOON)
    assert (muted(database), muted(database, "u2")) == (([], ["news"]), ([], []))


def test_no_more_are_muted_than_allowed_whoever_asks_at_once(database: Store, subscriptions: Subscriptions) -> None:
    names = [f"g{number}" for number in range(8)]
    done = at_once(*(lambda name=name: subscriptions.mute("u1", Mutable.GROUPS, name, 5, NOON) for name in names))
    assert (sorted(done), len(muted(database)[0])) == ([False] * 3 + [True] * 5, 5)
    kept = muted(database)[0][0]
    assert subscriptions.mute("u1", Mutable.GROUPS, kept, 5, NOON)


def test_what_is_under_way_is_found_with_how_it_reached_the_user(enter: Any, subscriptions: Subscriptions) -> None:
    named = enter("choir", category="news", audience=Audience(("u0", "u1", "u9"), ("choir", "chess")))
    through = enter("choir", "chess", audience=Audience(("u9",), ("choir", "chess")))
    enter("golf", category="sport")
    found = {each.notification.id: each for each in subscriptions.under_way("u1", Mutable.GROUPS, "choir", NOON)}
    assert {name: (e.notification.audience.users, list(e.groups)) for name, e in found.items()} == {
        named: (("u1",), ["choir"]),
        through: ((), ["choir", "chess"]),
    }
    [one] = subscriptions.under_way("u1", Mutable.CATEGORIES, "news", NOON)
    assert one.notification.id == named
    assert subscriptions.under_way("u1", Mutable.CATEGORIES, "weather", NOON) == []


def test_each_audience_is_read_once(enter: Any, subscriptions: Subscriptions, database: Store) -> None:
    over, under_way = (enter(category="news", audience=Audience(("u1",))) for _ in range(2))
    database["notifications"].update_one({"_id": object_id(over)}, {"$set": {"open": False}})
    database.command("profile", 2)
    found = subscriptions.under_way("u1", Mutable.CATEGORIES, "news", NOON)
    database.command("profile", 0)
    ours = {"ns": f"{database.name}.notifications", "docsExamined": {"$exists": True}}
    examined = [query["docsExamined"] for query in database["system.profile"].find(ours)]
    database["system.profile"].drop()
    assert [each.notification.id for each in found] == [under_way]
    assert len(examined) == 1
    assert examined[0] <= 2, "whichever index the planner takes"


def test_what_is_over_or_confirmed_is_not_under_way(
    enter: Any, subscriptions: Subscriptions, registry: Registry
) -> None:
    enter(category="news", ttl=60)
    confirmed, sent = enter(category="news"), enter(category="news")
    for event in (Event.SEND, Event.RECEIVE):
        registry.move(event, {confirmed: ["u1"]}, Note(NOON))
    registry.move(Event.SEND, {sent: ["u1"]}, Note(NOON))
    found = subscriptions.under_way("u1", Mutable.CATEGORIES, "news", after(60))
    assert [each.notification.id for each in found] == [sent]


def test_what_is_pending_is_suppressed_with_its_reason(
    enter: Any, subscriptions: Subscriptions, database: Store
) -> None:
    made = enter()
    assert subscriptions.suppress("u1", [made], MUTED, after(5)) == 1
    assert subscriptions.suppress("u1", [made], MUTED, after(9)) == 0
    entry = stored(database, made)
    assert (entry["status"], entry["reason"], entry["inbox"]) == ("suppressed", "muted_category", "hidden")
    assert entry["history"][1:] == [{"status": "suppressed", "at": after(5), "detail": "muted_category"}]
    assert stored(database, made, "u2")["status"] == "pending"


def test_what_was_sent_stays_so_and_is_not_sent_again(
    enter: Any, subscriptions: Subscriptions, registry: Registry, database: Store
) -> None:
    made = enter()
    registry.move(Event.SEND, {made: ["u1", "u2"]}, Note(after(1)))
    subscriptions.suppress("u1", [made], MUTED, after(5))
    assert registry.resend({made: ["u1", "u2"]}, after(9), 1) == 1
    entry = stored(database, made)
    assert (entry["status"], entry["reason"], entry["inbox"], len(entry["history"])) == ("sent", None, "unread", 2)
    assert registry.standing({made: ["u1"]}, [Status.SENT]) == {}


def test_what_waits_to_be_sent_again_is_sent_for_good(
    enter: Any, subscriptions: Subscriptions, registry: Registry, database: Store
) -> None:
    made = enter()
    registry.move(Event.SEND, {made: ["u1"]}, Note(after(1)))
    registry.resend({made: ["u1"]}, after(2), 1)
    subscriptions.suppress("u1", [made], MUTED, after(5))
    entry = stored(database, made)
    assert (entry["status"], entry["reason"], entry["sent_at"]) == ("sent", None, after(1))
    assert entry["history"][-1] == {"status": "sent", "at": after(5), "detail": "muted_category: not sent again"}
    assert registry.resend({made: ["u1"]}, after(9), 2) == 0


def test_fcms_word_that_it_has_accepted_it_stands_against_a_muting_in_the_same_moment(
    enter: Any, subscriptions: Subscriptions, registry: Registry, database: Store
) -> None:
    made = enter()
    subscriptions.suppress("u1", [made], MUTED, after(5))
    registry.move(Event.SEND, {made: ["u1"]}, Note(after(6)))
    entry = stored(database, made)
    assert (entry["status"], entry["reason"], entry["inbox"]) == ("sent", None, "unread")
    assert registry.resend({made: ["u1"]}, after(9), 1) == 0


@pytest.mark.parametrize("event", [Event.FAIL, Event.EXPIRE, Event.CANCEL, Event.RECEIVE, Event.READ])
def test_what_is_past_stopping_stays_as_it_is(
    enter: Any, subscriptions: Subscriptions, registry: Registry, database: Store, event: Event
) -> None:
    made = enter()
    registry.move(event, {made: ["u1"]}, Note(NOON, Reason.TTL_OVER))
    before = stored(database, made)
    assert subscriptions.suppress("u1", [made], MUTED, after(5)) == 0
    assert stored(database, made) == before
