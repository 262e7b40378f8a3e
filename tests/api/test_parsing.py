import json

import pytest

from notify_server.api.parsing import by_path
from notify_server.storage.notifications import Notifications
from notify_server.storage.registry import Arrivals, Registry
from tests.api.caller import refused
from tests.builders import NOON, a_notification, recipients

N = "0" * 24
BODIES = {
    "POST /v1/notifications": {"message": {"title": "t"}, "users": ["u1"]},
    "POST /api/realtime/internal/notify": {"userIds": ["u1"], "payload": {"a": 1}},
    "PUT /v1/templates/t1": {"locales": {"en": {"title": "t"}}},
    "PUT /v1/actions/a1": {"template": "t1"},
    "PUT /v1/users/u1": {"community": "c"},
    "PUT /v1/groups/g1": {"members": ["u1"]},
    "POST /v1/groups/g1/members": {"add": ["u1"]},
    "POST /v1/tokens": {"name": "n", "scopes": ["read"]},
    "POST /v1/mails/allow": {"address": "a@example.org"},
    "PUT /v1/settings/email": {"service": "disabled"},
    "PUT /v1/me/devices/d1": {"platform": "ios", "token": "t"},
    "POST /v1/me/receipts": {"receipts": [{"notification_id": N, "status": "read"}]},
    f"PATCH /v1/me/notifications/{N}": {"is_read": True},
    "POST /v1/me/notifications/read": {"all": True},
}
UNKNOWN = {
    b'"unknown": 1': "unknown",
    b'"$where": "1"': "$where",
    rb'"nul": "a\u0000"': "nul",
    rb'"half": ["\ud800"]': "half.0",
    b'"twice": 1, "twice": 2': "twice",
    b'"deep": ' + b"[" * 40 + b"]" * 40: "deep" + ".0" * 15,
    b'"huge": ' + b"9" * 400: "huge",
}
ROUTES = pytest.mark.parametrize("route", BODIES)


@pytest.fixture
def send(backend, device_of, database):
    """Sends a raw body to one of the routes. Notification N is in the inbox of u1; an action needs a template."""
    phone = device_of("u1")
    backend.put("/v1/templates/t1", BODIES["PUT /v1/templates/t1"])
    Notifications(database).add(a_notification(id=N), None)
    Registry(database).insert([Arrivals(N, None, recipients("u1"))], NOON)

    def call(route, body, content_type="application/json", **options):
        method, path = route.split(" ")
        return (phone if "/me/" in path else backend)(method, path, data=body, content_type=content_type, **options)

    return call


def test_every_route_that_takes_a_body_is_tried(contract):
    taking = {
        f"{method.upper()} {path}"
        for path, operations in contract.document["paths"].items()
        for method, operation in operations.items()
        if method != "parameters"
        and not path.startswith("/jsonapi")
        and operation.get("requestBody", {}).get("required")
    }
    filled = {
        "{user_id}": "u1",
        "{group_id}": "g1",
        "{device_id}": "d1",
        "{template_name}": "t1",
        "{action_name}": "a1",
        "{notification_id}": N,
    }
    for template, value in filled.items():
        taking = {route.replace(template, value) for route in taking}
    assert taking == BODIES.keys()


@ROUTES
def test_json_is_taken_however_it_is_declared(send, route):
    for content_type in ("application/json", "application/json; charset=utf-8", "application/ld+json"):
        assert send(route, json.dumps(BODIES[route]), content_type).status_code < 300


@ROUTES
def test_what_is_not_json_is_refused_and_nothing_is_stored(send, stored, route):
    before = stored()
    for body in (b"", b"{", b"a=1&b=2", b"<x/>", b'{"a": NaN}', b"[" * 10_000, b"\xff", b"1" * 5000):
        refused(send(route, body), 400)
    assert stored() == before


@ROUTES
def test_a_body_that_is_no_object_is_refused_and_nothing_is_stored(send, stored, route):
    before = stored()
    for body in (b"null", b"[]", b'[{"users": []}]', b'"x"', b"1", b"true"):
        refused(send(route, body), 422, "body")
    assert stored() == before


@ROUTES
def test_a_member_that_no_route_knows_is_refused_by_name_and_nothing_is_stored(send, stored, route):
    before = stored()
    for member, field in UNKNOWN.items():
        answer = send(route, b"{" + member + b"}")
        assert answer.status_code == 422
        assert field in answer.json["errors"]
    assert stored() == before


@ROUTES
def test_a_body_that_is_not_declared_as_json_is_refused(send, stored, route):
    before = stored()
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        refused(send(route, b'{"users": ["u1"]}', content_type), 415)
    assert stored() == before


@ROUTES
def test_a_body_of_10_mb_is_refused(send, stored, route):
    before = stored()
    refused(send(route, b'{"x": "' + b"x" * 10_000_000 + b'"}'), 413)
    assert stored() == before


@ROUTES
def test_a_body_without_a_length_is_judged_alike(send, stored, route):
    before = stored()
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
    refused(send(route, b"{", "text/plain", environ_overrides=chunked), 415)
    refused(send(route, b"{", environ_overrides=chunked), 400)
    refused(send(route, b'"' + b"x" * 10_000_000 + b'"', environ_overrides=chunked), 413)
    assert stored() == before


@pytest.mark.parametrize(
    ("route", "field"),
    [
        ("PUT /v1/users/{}", "user_id"),
        ("GET /v1/users/{}", "user_id"),
        ("DELETE /v1/users/{}", "user_id"),
        ("POST /v1/users/{}/tokens", "user_id"),
        ("GET /v1/users/{}/registry", "user_id"),
        ("PUT /v1/groups/{}", "group_id"),
        ("POST /v1/groups/{}/members", "group_id"),
        ("PUT /v1/me/devices/{}", "device_id"),
        ("DELETE /v1/me/devices/{}", "device_id"),
        ("DELETE /v1/me/subscriptions/groups/{}", "group_id"),
        ("DELETE /v1/me/subscriptions/categories/{}", "category_id"),
    ],
)
def test_what_can_be_no_id_is_refused_in_the_path(send, stored, route, field):
    before = stored()
    for value in ("a%00b", "a%0Ab", "%FF", "%EF%BF%BE", "i" * 129, "%C2%85", "%E2%80%AE"):
        refused(send(route.format(value), b"{}"), 422, field)
    assert stored() == before


@pytest.mark.parametrize(
    "value", ["a b", "a%2Bb", "ä", "日本", "a.b", "$a", "...", "a%25", "a?b".replace("?", "%3F"), "i" * 128]
)
def test_any_other_id_is_taken_in_the_path(backend, value):
    made = backend.put(f"/v1/users/{value}", {})
    assert made.status_code == 201
    assert backend.get(f"/v1/users/{value}").json == made.json


def test_a_request_that_needs_no_body_may_have_an_empty_object_and_no_other(backend):
    path = "/v1/users/u1/tokens"
    assert backend.post(path).status_code == 201
    assert backend.post(path, headers={"Content-Type": "application/json"}).status_code == 201
    assert backend.post(path, data=b"{}", content_type="application/json").status_code == 201
    refused(backend.post(path, {"lifetime": 60}), 422, "lifetime")
    refused(backend.post(path, data=b"{", content_type="application/json"), 400)


def test_messages_are_flattened_to_field_paths():
    nested = {"a": {0: {"b": ["No."]}}, "_schema": ["Nothing."], "c": {"_schema": ["Not this.", "Nor that."]}}
    assert by_path(nested) == {"a.0.b": ["No."], "body": ["Nothing."], "c": ["Not this.", "Nor that."]}
