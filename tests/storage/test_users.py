import pytest

from notify_server.domain.user import User
from notify_server.errors import NotFound
from notify_server.storage.documents import Store
from notify_server.storage.users import Users
from tests.builders import NOON, after, at_once

PROFILE = {"community": "school", "groups": ["choir"], "email": "a@b.c", "locale": "de", "timezone": "Europe/Vienna"}


@pytest.fixture
def users(database: Store) -> Users:
    return Users(database)


def test_a_new_user_has_the_fields_given_and_blanks_for_the_others(users: Users) -> None:
    assert users.put("a", {"email": "a@b.c"}, NOON)
    assert users.get("a") == User("a", email="a@b.c", created_at=NOON)


def test_every_field_of_a_profile_is_kept(users: Users) -> None:
    users.put("a", PROFILE, NOON)
    assert users.get("a") == User("a", "school", ("choir",), "a@b.c", "de", "Europe/Vienna", created_at=NOON)


def test_fields_that_are_not_given_stay_as_they_are(users: Users) -> None:
    users.put("a", PROFILE, NOON)
    assert not users.put("a", {"locale": "en", "email": None}, after(60))
    assert users.get("a") == User("a", "school", ("choir",), None, "en", "Europe/Vienna", created_at=NOON)


def test_what_a_user_has_muted_comes_with_the_user(users: Users, database: Store) -> None:
    users.put("a", {}, NOON)
    database["users"].update_one({"_id": "a"}, {"$set": {"muted": {"groups": ["choir"], "categories": ["booking"]}}})
    found = users.get("a")
    assert found == User(
        "a", created_at=NOON, muted_groups=frozenset(["choir"]), muted_categories=frozenset(["booking"])
    )


def test_an_unknown_user_is_not_found(users: Users) -> None:
    with pytest.raises(NotFound, match="There is no user 'a'"):
        users.get("a")


def test_those_of_several_users_that_exist_are_found_at_once(users: Users) -> None:
    users.mention(["a", "b"], None, NOON)
    assert sorted(user.id for user in users.among(["b", "c", "a"])) == ["a", "b"]


def test_a_mention_makes_those_who_are_unknown_and_leaves_the_others_alone(users: Users) -> None:
    users.put("b", PROFILE, NOON)
    assert users.mention(["a", "b", "c"], "club", after(60)) == 2
    assert users.get("a") == User("a", "club", created_at=after(60))
    assert users.get("b").community == "school"
    assert users.mention([], "club", NOON) == 0


def test_users_mentioned_at_once_are_made_once(users: Users) -> None:
    names = [f"u{number:03}" for number in range(100)]
    assert sum(at_once(*(lambda: users.mention(names, None, NOON) for _ in range(4)))) == 100


def test_ids_that_begin_alike_come_in_order_whatever_their_characters(users: Users) -> None:
    users.mention(["a", "a.b", "a\U0001f600", "aé", "b", "a*", "A"], None, NOON)
    assert users.beginning_with("a", 9) == ["a", "a*", "a.b", "aé", "a\U0001f600"]
    assert users.beginning_with("a.", 9) == ["a.b"]
    assert users.beginning_with("", 2) == ["A", "a"]
