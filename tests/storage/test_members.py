from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notify_server.domain.notification import Audience
from notify_server.domain.user import User
from notify_server.storage.documents import Document, Store
from notify_server.storage.members import Members
from tests.builders import NOON

MANY = tuple(f"g{number:03}" for number in range(250))


@pytest.fixture
def members(database: Store) -> Members:
    return Members(database)


def a_document(user: str, community: str | None = None, groups: Sequence[str] = ()) -> Document:
    muted: Document = {"groups": [], "categories": []}
    return {"_id": user, "community": community, "groups": list(groups), "muted": muted, "created_at": NOON}


def ids(members: Members, audience: Audience, cursor: str = "", size: int = 500) -> list[str]:
    return [user.id for user in members.page(audience, cursor, size)]


def walk(members: Members, audience: Audience, size: int) -> list[str]:
    """Every page of `size`, one after the other."""
    walked: list[str] = []
    while page := ids(members, audience, walked[-1] if walked else "", size):
        assert len(page) <= size
        walked += page
    return walked


@pytest.fixture
def school(database: Store) -> Store:
    """Seven users: a and b sing, b to d play football, e and f are in other communities, g is alone."""
    database["users"].insert_many(
        [
            a_document("a", "school", ["choir"]),
            a_document("b", "school", ["choir", "football"]),
            a_document("c", "school", ["football"]),
            a_document("d", "club", ["football", "chess"]),
            a_document("e", "club"),
            a_document("f", "office"),
            a_document("g"),
        ]
    )
    return database


@pytest.mark.parametrize(
    ("audience", "selected"),
    [
        (Audience(groups=("choir",)), "ab"),
        (Audience(groups=("choir", "football")), "abcd"),
        (Audience(communities=("club",)), "de"),
        (Audience(communities=("club", "office"), groups=("choir",)), "abdef"),
        (Audience(everyone=True, groups=("choir",)), "abcdefg"),
        (Audience(groups=("nobody's",)), ""),
        (Audience(users=("a",)), ""),
    ],
    ids=["group", "two groups", "community", "both", "everyone", "empty group", "named users are not members"],
)
@pytest.mark.parametrize("size", [1, 2, 500])
def test_an_audience_is_walked_in_order_without_repeats(
    school: Store, audience: Audience, selected: str, size: int
) -> None:
    assert walk(Members(school), audience, size) == list(selected)


def test_a_member_is_what_expansion_needs_of_a_user(database: Store, members: Members) -> None:
    muted = {"groups": ["choir"], "categories": ["booking"]}
    database["users"].insert_one(a_document("a", "school", ["choir", "chess"]) | {"muted": muted, "email": "a@b.c"})
    user = User("a", "school", ("choir", "chess"), muted_groups=frozenset(["choir"]))
    expected = User("a", "school", user.groups, muted_groups=user.muted_groups, muted_categories=frozenset(["booking"]))
    assert members.page(Audience(groups=("chess",)), "", 9) == [expected]
    assert members.among(["a", "b"]) == [expected]


def test_more_than_a_hundred_groups_are_merged_into_one_walk(database: Store, members: Members) -> None:
    users = [a_document(f"u{number:03}", None, MANY[number : number + 3]) for number in range(250)]
    database["users"].insert_many([*users, a_document("u999", None, ["other"])])
    expected = [user["_id"] for user in users]
    assert walk(members, Audience(groups=MANY), 60) == expected
    assert ids(members, Audience(groups=MANY), "u100", 5) == ["u101", "u102", "u103", "u104", "u105"]


def test_one_user_in_all_of_many_groups_and_communities_is_selected_once(database: Store, members: Members) -> None:
    database["users"].insert_one(a_document("a", "g007", MANY))
    assert ids(members, Audience(groups=MANY, communities=MANY)) == ["a"]


subsets = st.lists(st.sampled_from("pqrs"), unique=True, max_size=3)
people = st.dictionaries(
    st.text("abé😀", min_size=1, max_size=3), st.tuples(subsets, st.sampled_from("xyz")), max_size=9
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people, subsets, st.lists(st.sampled_from("xyz"), unique=True, max_size=2), st.integers(1, 4))
def test_any_audience_is_walked_completely(
    database: Store, users: dict[str, tuple[list[str], str]], groups: list[str], communities: list[str], size: int
) -> None:
    database["users"].delete_many({})
    if users:
        database["users"].insert_many([a_document(user, home, of) for user, (of, home) in users.items()])
    selected = sorted(user for user, (of, home) in users.items() if home in communities or set(of) & set(groups))
    audience = Audience(groups=tuple(groups), communities=tuple(communities))
    assert walk(Members(database), audience, size) == selected


def test_the_members_of_one_group_are_paged_and_counted(school: Store) -> None:
    members = Members(school)
    assert members.of_group("football", "", 2) == ["b", "c"]
    assert members.of_group("football", "c", 2) == ["d"]
    assert members.count("football") == 3
    assert members.count("nobody's") == 0
