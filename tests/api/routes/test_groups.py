import pytest

from tests.api.caller import refused

PATH = "/v1/groups/g1"


def members(backend):
    return backend.get(PATH).json["members"]


def test_a_group_is_made_with_201_and_replaced_with_200(backend):
    made = backend.put(PATH, {"community": "school", "members": ["u2", "u1", "u2"]})
    assert made.status_code == 201
    assert made.json == {
        "id": "g1",
        "community": "school",
        "created_at": made.json["created_at"],
        "member_count": 2,
        "members": ["u1", "u2"],
        "next": None,
    }
    replaced = backend.put(PATH, {"community": "college", "members": ["u3", "u2"]})
    assert replaced.status_code == 200
    assert (replaced.json["community"], replaced.json["members"]) == ("college", ["u2", "u3"])
    assert backend.get(PATH).json == replaced.json


def test_without_members_they_stay(backend):
    backend.put(PATH, {"members": ["u1"]})
    assert backend.put(PATH, {"community": "c"}).json["members"] == ["u1"]
    assert backend.put(PATH, {"members": []}).json["members"] == []


def test_members_that_are_unknown_are_made_in_the_groups_community(backend):
    backend.put("/v1/users/known", {"community": "other"})
    backend.put(PATH, {"community": "school", "members": ["known", "new"]})
    backend.post(f"{PATH}/members", {"add": ["newer"]})
    communities = {user: backend.get(f"/v1/users/{user}").json["community"] for user in ("known", "new", "newer")}
    assert communities == {"known": "other", "new": "school", "newer": "school"}
    assert backend.get("/v1/users/new").json["groups"] == ["g1"]


def test_members_join_and_leave_and_are_counted(backend):
    backend.put(PATH, {"members": ["u1", "u2"]})
    answer = backend.post(f"{PATH}/members", {"add": ["u2", "u3", "u3"], "remove": ["u1", "stranger"]})
    assert answer.json == {"added": 1, "removed": 1}
    assert members(backend) == ["u2", "u3"]
    assert backend.post(f"{PATH}/members", {}).json == {"added": 0, "removed": 0}


def test_thousands_join_and_leave_at_once(backend):
    crowd = [f"u{n:05}" for n in range(2_500)]
    assert backend.post(f"{PATH}/members", {"add": crowd}).json["added"] == 2_500
    assert backend.get(PATH).json["member_count"] == 2_500
    assert backend.post(f"{PATH}/members", {"remove": crowd[:2_400]}).json["removed"] == 2_400
    assert backend.put(PATH, {"members": crowd[2_450:]}).json["member_count"] == 50


def test_members_come_in_stable_pages(backend):
    backend.put(PATH, {"members": ["a", "c", "e"]})
    first = backend.get(f"{PATH}?limit=2").json
    backend.post(f"{PATH}/members", {"add": ["b", "d"]})
    second = backend.get(f"{PATH}?limit=2&cursor={first['next']}").json
    assert (first["members"], second["members"], second["next"]) == (["a", "c"], ["d", "e"], None)


def test_deleting_a_group_leaves_its_members_as_users(backend):
    backend.put(PATH, {"members": ["u1"]})
    assert backend.delete(PATH).status_code == 204
    refused(backend.get(PATH), 404)
    refused(backend.delete(PATH), 404)
    assert backend.get("/v1/users/u1").json["groups"] == []


@pytest.mark.parametrize(("query", "field"), [("cursor=!!!!", "cursor"), ("limit=0", "limit"), ("x=1", "x")])
def test_a_bad_query_is_refused_by_name(backend, query, field):
    backend.put(PATH, {})
    refused(backend.get(f"{PATH}?{query}"), 422, field)
