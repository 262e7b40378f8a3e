import pytest

from notify_server.errors import NotFound
from notify_server.services.membership import Membership
from tests.builders import NOON
from tests.services.scene import Scene


@pytest.fixture
def membership(scene: Scene) -> Membership:
    return scene.services.membership


def members(membership: Membership, group: str = "choir") -> list[str]:
    return membership.get(group, "", 9999)[1]


def test_a_new_group_makes_its_unknown_members_in_its_community(scene: Scene, membership: Membership) -> None:
    scene.services.people.put("known", {"community": "club"})
    assert membership.replace("choir", "school", ["known", "unknown", "known"])
    found, page = membership.get("choir", "", 9)
    assert found == {"id": "choir", "community": "school", "created_at": NOON, "member_count": 2}
    assert page == ["known", "unknown"]
    assert [scene.services.people.get(user).community for user in page] == ["club", "school"]


def test_replacing_lets_the_others_leave(membership: Membership) -> None:
    membership.replace("choir", None, ["a", "b", "c"])
    assert not membership.replace("choir", None, ["b", "d"])
    assert members(membership) == ["b", "d"]
    membership.replace("choir", None, [])
    assert members(membership) == []


def test_replacing_without_members_changes_the_community_alone(membership: Membership) -> None:
    membership.replace("choir", None, ["a"])
    membership.replace("choir", "school", None)
    assert membership.get("choir", "", 9)[0]["community"] == "school"
    assert members(membership) == ["a"]


def test_members_of_other_groups_stay(membership: Membership) -> None:
    membership.replace("chess", None, ["a", "b"])
    membership.replace("choir", None, ["a"])
    membership.replace("choir", None, [])
    assert members(membership, "chess") == ["a", "b"]


def test_more_members_than_are_written_at_once(membership: Membership) -> None:
    crowd = [f"u{number:04}" for number in range(2100)]
    membership.replace("choir", None, crowd)
    assert membership.change("choir", ["one more"], crowd[:1500]) == (1, 1500)
    assert members(membership) == ["one more", *crowd[1500:]]
    membership.replace("choir", None, ["last"])
    assert members(membership) == ["last"]


def test_a_change_says_how_many_joined_and_left(membership: Membership) -> None:
    membership.replace("choir", "school", ["a", "b"])
    assert membership.change("choir", ["b", "c", "c"], ["a", "nobody", "a"]) == (1, 1)
    assert members(membership) == ["b", "c"]


def test_who_is_both_added_and_removed_is_a_member(membership: Membership) -> None:
    membership.replace("choir", None, ["a"])
    membership.change("choir", ["a"], ["a"])
    assert members(membership) == ["a"]


def test_a_change_of_an_unknown_group_makes_it(membership: Membership) -> None:
    assert membership.change("choir", ["a"], ["b"]) == (1, 0)
    assert membership.get("choir", "", 9)[0]["community"] is None


def test_those_who_join_by_a_change_are_made_in_the_groups_community(scene: Scene, membership: Membership) -> None:
    membership.replace("choir", "school", [])
    membership.change("choir", ["a"], [])
    assert scene.services.people.get("a").community == "school"


def test_members_are_paged_in_order(membership: Membership) -> None:
    membership.replace("choir", None, ["d", "a", "c", "b"])
    assert membership.get("choir", "a", 2)[1] == ["b", "c"]


def test_a_deleted_group_is_not_found_and_its_members_stay_users(scene: Scene, membership: Membership) -> None:
    membership.replace("choir", None, ["a"])
    membership.delete("choir")
    assert scene.services.people.get("a").groups == ()
    with pytest.raises(NotFound):
        membership.get("choir", "", 9)
    with pytest.raises(NotFound):
        membership.delete("choir")
