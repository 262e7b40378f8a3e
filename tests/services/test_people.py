import pytest

from notify_server.domain.user import User
from notify_server.errors import NotFound
from notify_server.services.people import People
from tests.builders import NOON
from tests.services.scene import Scene


@pytest.fixture
def people(scene: Scene) -> People:
    return scene.services.people


def test_a_user_is_made_and_changed_field_by_field(people: People) -> None:
    assert people.put("a", {"community": "school", "groups": ["chess"]})
    assert not people.put("a", {"email": "a@b.c"})
    assert people.get("a") == User("a", "school", ("chess",), "a@b.c", created_at=NOON)


def test_a_group_named_twice_is_one(people: People) -> None:
    people.put("a", {"groups": ["choir", "chess", "choir"]})
    assert people.get("a").groups == ("chess", "choir")


def test_an_unknown_user_is_not_found(people: People) -> None:
    with pytest.raises(NotFound):
        people.get("nobody")


def test_users_are_found_by_how_their_ids_begin(people: People) -> None:
    for user in ("ann", "anna", "Anna", "bert"):
        people.put(user, {})
    assert people.beginning_with("ann", 9) == ["ann", "anna"]
    assert people.beginning_with("ann", 1) == ["ann"]
