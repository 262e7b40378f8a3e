import pytest
from prometheus_client import REGISTRY

from notify_server.domain.notification import Audience, Notification
from notify_server.domain.texts import Text, Texts
from notify_server.domain.user import User
from notify_server.services.arrival import Arrival, Selection
from notify_server.services.load import Entered
from notify_server.storage.documents import Store
from notify_server.storage.erasures import Erasures
from notify_server.storage.members import Members
from notify_server.storage.registry import Registry
from notify_server.storage.users import Users
from tests.builders import NOON, a_notification, after


@pytest.fixture
def arrival(database: Store) -> Arrival:
    return Arrival(Members(database), Users(database), Registry(database), Erasures(database))


def to(*users: str, **fields: object) -> Selection:
    """A notification to these users, by name."""
    return Selection(a_notification(audience=Audience(users), **fields), users)


def standing(database: Store, notification: Notification) -> dict[str, tuple[str, str | None]]:
    found = database["registry"].find()
    return {e["_id"]["u"]: (e["status"], e["reason"]) for e in found if str(e["_id"]["n"]) == notification.id}


def mute(database: Store, user: str, category: str) -> None:
    Users(database).put(user, {}, NOON)
    database["users"].update_one({"_id": user}, {"$set": {"muted": {"groups": [], "categories": [category]}}})


def test_each_selection_has_entries_of_its_own_and_says_who_is_to_be_sent_to(database: Store, arrival: Arrival) -> None:
    mute(database, "muted", "news")
    news, booking = to("a", "muted", category="news"), to("b", "muted", category="booking")
    assert arrival.enter([news, booking], NOON) == [Entered(("a",)), Entered(("b", "muted"))]
    assert standing(database, news.notification) == {"a": ("pending", None), "muted": ("suppressed", "muted_category")}
    assert standing(database, booking.notification) == dict.fromkeys(("b", "muted"), ("pending", None))
    assert set(database["registry"].distinct("category")) == {"news", "booking"}


def test_unknown_users_are_made_once_with_the_community_that_comes_first(database: Store, arrival: Arrival) -> None:
    Users(database).put("known", {"community": "club"}, NOON)
    arrival.enter([to("known", "new", community="school"), to("new", "other", community="choir")], NOON)
    found = {user["_id"]: user["community"] for user in database["users"].find()}
    assert found == {"known": "club", "new": "school", "other": "choir"}


def test_members_that_were_read_are_taken_as_they_were_read(database: Store, arrival: Arrival) -> None:
    member = User("a", "club", muted_categories=frozenset({"news"}))
    selection = to("a", category="news")
    assert arrival.enter([Selection(selection.notification, ("a",), [member])], NOON) == [Entered()]
    assert standing(database, selection.notification) == {"a": ("suppressed", "muted_category")}
    assert database["users"].count_documents({}) == 0


def test_what_was_written_before_stays_as_it_is(database: Store, arrival: Arrival) -> None:
    selection = to("a", "b")
    arrival.enter([Selection(selection.notification, ("a",))], NOON)
    assert arrival.enter([selection], after(5)) == [Entered(("a", "b"))]
    assert {e["_id"]["u"]: e["pending_at"] for e in database["registry"].find()} == {"a": NOON, "b": after(5)}


def test_no_users_leave_nothing(database: Store, arrival: Arrival) -> None:
    assert arrival.enter([], NOON) == []
    assert arrival.enter([to()], NOON) == [Entered()]
    assert database["registry"].count_documents({}) == 0


def test_recipients_are_counted_by_whether_they_are_sent_to(database: Store, arrival: Arrival) -> None:
    def counted() -> list[float]:
        name = "notify_recipients_expanded_total"
        return [REGISTRY.get_sample_value(name, {"status": status}) or 0 for status in ("pending", "suppressed")]

    mute(database, "muted", "news")
    before = counted()
    arrival.enter([to("a", "b", "muted", category="news"), to("c")], NOON)
    assert [now - then for now, then in zip(counted(), before, strict=True)] == [3, 1]


def test_each_entry_names_the_locale_of_the_template_that_its_user_gets(database: Store, arrival: Arrival) -> None:
    for user, locale in (("a", "de-AT"), ("b", "fr"), ("c", None)):
        Users(database).put(user, {"locale": locale}, NOON)
    texts = Texts("t", 1, "en", {"en": Text("Hello"), "de": Text("Hallo")})
    notification = a_notification(texts=texts)
    members = [User("a", locale="de-AT")]
    assert arrival.enter([Selection(notification, ("a", "b", "c", "new"), members)], NOON) == [
        Entered(("a", "b", "c", "new"), {"a": "de", "b": "en"})
    ]
    found = {entry["_id"]["u"]: entry.get("locale") for entry in database["registry"].find()}
    assert found == {"a": "de", "b": "en", "c": None, "new": None}


def test_nobody_gets_what_is_disabled_also_where_it_is_mandatory(database: Store, arrival: Arrival) -> None:
    mute(database, "muted", "news")
    texts = Texts("t", 1, "en", {"en": Text("Hello")})
    notification = a_notification(texts=texts, disabled=True, mandatory=True, category="news")
    assert arrival.enter([Selection(notification, ("a", "muted"))], NOON) == [Entered()]
    assert standing(database, notification) == dict.fromkeys(("a", "muted"), ("suppressed", "action_disabled"))
