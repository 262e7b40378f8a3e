"""What opens each route; what does not is in test_guards.py."""

import re

import pytest
from flask import Flask

from notify_server.api import guards
from notify_server.api.app import create_app
from tests.api.caller import refused
from tests.api.matrix import DEVICE, ROUTES, USER, USER_ROUTES, furnish

PUBLIC = {"/healthz", "/readyz", "/metrics", "/openapi.json", "/asyncapi.json", "/docs/", "/docs/<path:path>"}
PROVED_OTHERWISE = {  # by a signature, by a link that nobody can make up
    ("POST", "/v1/hooks/sendgrid"),
    ("GET", "/v1/unsubscribe/<link>"),
    ("POST", "/v1/unsubscribe/<link>"),
}


def rules(app):
    """But for those of JSON:API, which have a matrix of their own: tests/api/routes/test_jsonapi.py."""
    all_rules = [rule for rule in app.url_map.iter_rules() if not rule.rule.startswith("/jsonapi/")]
    return {(method, rule.rule) for rule in all_rules for method in rule.methods - {"HEAD"}}


@pytest.fixture
def house(backend, device_of, database):
    furnish(database, backend, device_of("u1"))


def test_every_route_has_a_guard(app):
    assert [endpoint for endpoint in app.view_functions if guards.guard_of(app, endpoint) is None] == []


def test_every_route_is_in_the_matrix_or_known_to_be_public(app):
    adapter = app.url_map.bind("localhost")
    tried = {(method, adapter.match(path, method, return_rule=True)[0].rule) for method, path in ROUTES}
    assert rules(app) == tried | {("GET", path) for path in PUBLIC} | PROVED_OTHERWISE


def test_the_guards_ask_for_what_the_matrix_says(app):
    adapter = app.url_map.bind("localhost")
    asked = {route: guards.guard_of(app, adapter.match(route[1], route[0])[0]) for route in ROUTES}
    needed = {route: USER if guard == guards.USER else guard.scopes for route, guard in asked.items()}
    assert needed == {route: scope for route, (scope, _) in ROUTES.items()}


def test_an_application_with_a_route_without_a_guard_is_not_built():
    app = Flask(__name__)
    app.add_url_rule("/bare", "bare", lambda: "secret")
    with pytest.raises(LookupError, match="bare"):
        guards.install(app, lambda: None)


def test_a_route_that_is_added_later_is_closed(config, services):
    app = create_app(config, services)
    app.add_url_rule("/bare", "bare", lambda: "secret")
    refused(app.test_client().get("/bare"), 403)


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_the_right_token_opens_the_route(caller, services, house, route):
    needed, body = ROUTES[route]
    token = services.user_tokens.mint("u1")[0] if needed is USER else services.server_tokens.create("n", needed[:1])
    assert caller(token)(*route, **({"json": body} if body else {})).status_code in (200, 201, 202, 204, 404)


def shown(answer):
    """What an answer tells, but for the times in it."""
    return answer.status_code, re.sub(r'"\w+_at": ?"[^"]+"', '"at": "T"', answer.text)


def of_one(found, user):
    return {
        name: [document for document in documents if repr(user) in repr(document)] for name, documents in found.items()
    }


@pytest.mark.parametrize("route", USER_ROUTES, ids=" ".join)
def test_another_user_a_stranger_and_who_was_erased_are_answered_alike(backend, device_of, house, stored, route):
    """Whose ids these are, and who is known here, cannot be told from the answers."""
    for user in ("other", "erased"):
        backend.put(f"/v1/users/{user}", {})
    assert backend.delete("/v1/users/erased").status_code == 200
    before, answers = of_one(stored(), "u1"), {}
    for user in ("other", "stranger", "erased"):
        _, body = ROUTES[route]
        own = body | {"token": f"target of {user}"} if body == DEVICE else body
        answers[user] = shown(device_of(user)(*route, **({"json": own} if own else {})))
    assert len(set(answers.values())) == 1, answers
    assert of_one(stored(), "u1") == before


def test_the_token_is_judged_before_path_and_body(caller):
    refused(caller("x").put("/v1/users/%00", {}), 401)
    refused(caller("x")("POST", "/v1/notifications", data=b"x" * 10_000_000, content_type="text/plain"), 401)


def test_a_user_neither_sees_nor_changes_what_is_anothers(device_of, notify, stored):
    mine, theirs = device_of("a"), device_of("b")
    theirs.put("/v1/me/devices/d", DEVICE)
    identity = notify("b")
    before = stored()
    assert mine.get("/v1/me/devices").json == {"devices": []}
    refused(mine.delete("/v1/me/devices/d"), 404)
    receipt = {"notification_id": identity, "status": "read"}
    assert mine.post("/v1/me/receipts", {"receipts": [receipt]}).json["accepted"] == 0
    assert stored() == before
    mine.put("/v1/me/devices/d", {"platform": "web", "token": "other"})
    assert [device["platform"] for device in theirs.get("/v1/me/devices").json["devices"]] == ["ios"]
