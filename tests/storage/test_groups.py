import pytest

from notify_server.errors import NotFound
from notify_server.storage.documents import Store
from notify_server.storage.groups import Groups
from notify_server.storage.users import Users
from tests.builders import NOON, after, at_once


@pytest.fixture
def groups(database: Store) -> Groups:
    return Groups(database)


@pytest.fixture(autouse=True)
def users(database: Store) -> Users:
    """Users a, b and c, in no group."""
    made = Users(database)
    made.mention("abc", None, NOON)
    return made


def test_a_group_is_made_once_and_keeps_its_first_time(groups: Groups) -> None:
    assert groups.put("choir", "school", NOON)
    assert not groups.put("choir", "club", after(60))
    assert groups.get("choir") == {"id": "choir", "community": "club", "created_at": NOON}


def test_an_unknown_group_is_not_found(groups: Groups) -> None:
    with pytest.raises(NotFound, match="There is no group 'choir'"):
        groups.get("choir")


def test_only_those_who_were_not_members_join(groups: Groups, users: Users) -> None:
    assert groups.add("choir", ["a", "b"]) == 2
    assert groups.add("choir", ["b", "c", "nobody"]) == 1
    assert groups.add("choir", []) == 0
    assert [users.get(user).groups for user in "abc"] == [("choir",)] * 3


def test_who_joins_twice_at_once_is_a_member_once(groups: Groups, users: Users) -> None:
    assert sum(at_once(*(lambda: groups.add("choir", ["a", "b"]) for _ in range(4)))) == 2
    assert users.get("a").groups == ("choir",)


def test_who_leaves_one_group_stays_in_the_others(groups: Groups, users: Users) -> None:
    for group in ("choir", "chess"):
        groups.add(group, ["a", "b"])
    assert groups.remove("choir", ["a", "c"]) == 1
    assert users.get("a").groups == ("chess",)
    assert users.get("b").groups == ("choir", "chess")


def test_a_deleted_group_has_no_members_and_its_members_stay_users(groups: Groups, users: Users) -> None:
    groups.put("choir", None, NOON)
    groups.add("choir", ["a", "b"])
    assert groups.delete("choir")
    assert not groups.delete("choir")
    assert [users.get(user).groups for user in "abc"] == [()] * 3
