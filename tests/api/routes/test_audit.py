import pytest

from notify_server.domain.server_token import client_of
from notify_server.services.server_tokens import Scope
from tests.api.caller import refused

PATH = "/v1/audit"


def told(answer):
    return [(line["action"], line["status"]) for line in answer.json["lines"]]


def test_who_what_when_and_from_where(caller, services):
    token = services.server_tokens.create("billing", [Scope.USERS, Scope.ADMIN])
    billing = caller(token)
    billing.put("/v1/users/u1", {"email": "u1@example.org", "locale": "de"})
    [line] = billing.get(PATH).json["lines"]
    client = client_of(token)
    actor = {"kind": "client", "id": client, "pseudonym": False, "name": "billing", "prefix": f"nst_{client}"}
    assert line == {
        "id": line["id"],
        "at": line["at"],
        "actor": actor,
        "action": "users.put",
        "route": "PUT /v1/users/{user_id}",
        "object": {"kind": "user", "id": "u1", "pseudonym": False},
        "fields": ["email", "locale"],
        "address": "127.0.0.1",
        "status": 201,
    }


def test_an_accepted_notification_is_a_line(backend):
    made = backend.post("/v1/notifications", {"message": {"title": "secret title"}, "users": ["u1"]}).json["id"]
    [line] = backend.get(f"{PATH}?action=notifications.accept").json["lines"]
    assert (line["id"], line["object"]["id"], line["address"], line["status"]) == (made, made, "127.0.0.1", 202)
    assert line["actor"]["name"] == "backend"


def test_lines_come_in_stable_pages_newest_first(backend):
    for number in range(5):
        backend.put(f"/v1/users/u{number}", {})
    first = backend.get(f"{PATH}?limit=2").json
    backend.put("/v1/users/later", {})
    rest = backend.get(f"{PATH}?limit=9&cursor={first['next']}").json
    found = [line["object"]["id"] for line in first["lines"] + rest["lines"]]
    assert found == ["u4", "u3", "u2", "u1", "u0"]
    assert rest["next"] is None


def test_lines_are_filtered_by_actor_action_object_and_time(backend, device_of):
    backend.put("/v1/users/u1", {})
    device_of("u1").delete("/v1/me/subscriptions/categories/news")
    backend.delete("/v1/groups/none")
    [muted] = backend.get(f"{PATH}?actor=u1").json["lines"]
    assert (muted["action"], muted["object"]["id"]) == ("subscriptions.mute_category", "news")
    assert told(backend.get(f"{PATH}?object=u1")) == [("users.put", 201)]
    assert told(backend.get(f"{PATH}?action=groups.delete")) == [("groups.delete", 404)]
    assert told(backend.get(f"{PATH}?from={muted['at']}&actor=u1")) == [("subscriptions.mute_category", 204)]
    assert told(backend.get(f"{PATH}?to=2020-01-01T00:00:00Z")) == []


@pytest.mark.parametrize(
    ("query", "field"), [("from=today", "from"), ("cursor=x", "cursor"), ("limit=0", "limit"), ("who=u1", "who")]
)
def test_a_bad_query_is_refused_by_name(backend, query, field):
    refused(backend.get(f"{PATH}?{query}"), 422, field)
