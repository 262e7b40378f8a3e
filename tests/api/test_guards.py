import re
from datetime import timedelta

import jwt
import pytest
from flask import Flask

from notify_server.api import guards
from notify_server.api.app import create_app
from notify_server.bootstrap import build_services
from notify_server.config import Config
from notify_server.domain.audience import Recipient
from notify_server.domain.notification import Audience
from notify_server.domain.server_token import client_of
from notify_server.services.clock import utc_now
from notify_server.services.server_tokens import Scope
from notify_server.storage.clients import Clients, Secret
from notify_server.storage.notifications import Notifications
from notify_server.storage.registry import Arrivals, Registry
from tests.api.caller import Caller, refused
from tests.api.conftest import SECRET, UNLIMITED
from tests.builders import a_notification
from tests.key_issuer import key_pair

USERS, SEND, READ, ADMIN, USER = (Scope.USERS,), (Scope.SEND,), (Scope.READ,), (Scope.ADMIN,), "user"
FIGURES = (Scope.STATISTICS, Scope.READ)
N = "6b007bddabf10665a8c867db"
T = "0123456789ab"
DEVICE = {"platform": "ios", "token": "t"}
ROUTES = {
    ("POST", "/v1/notifications"): (SEND, {"message": {"title": "t"}, "users": ["u1"]}),
    ("GET", "/v1/notifications"): (READ, None),
    ("GET", f"/v1/notifications/{N}"): (READ, None),
    ("GET", f"/v1/notifications/{N}/registry"): (READ, None),
    ("POST", f"/v1/notifications/{N}/cancel"): (SEND, None),
    ("POST", f"/v1/notifications/{N}/resend"): (SEND, {"users": ["u1"]}),
    ("POST", "/api/realtime/internal/notify"): (SEND, {"userIds": ["u1"], "payload": {"a": 1}}),
    ("PUT", "/v1/users/u1"): (USERS, {"community": "c"}),
    ("GET", "/v1/users/u1"): (USERS, None),
    ("DELETE", "/v1/users/u1"): (USERS, None),
    ("GET", "/v1/users/u1/export"): (USERS, None),
    ("GET", "/v1/users/u1/registry"): (READ, None),
    ("POST", "/v1/users/u1/tokens"): (USERS, None),
    ("PUT", "/v1/groups/g1"): (USERS, {"members": ["u2"]}),
    ("GET", "/v1/groups/g1"): (USERS, None),
    ("DELETE", "/v1/groups/g1"): (USERS, None),
    ("POST", "/v1/groups/g1/members"): (USERS, {"add": ["u2"], "remove": ["u1"]}),
    ("GET", "/v1/templates"): (READ, None),
    ("PUT", "/v1/templates/t1"): (ADMIN, {"locales": {"en": {"title": "t"}}}),
    ("GET", "/v1/templates/t1"): (READ, None),
    ("GET", "/v1/templates/t1/versions"): (READ, None),
    ("GET", "/v1/templates/t1/versions/1"): (READ, None),
    ("POST", "/v1/templates/t1/preview"): (READ, {"variables": {}}),
    ("GET", "/v1/actions"): (READ, None),
    ("PUT", "/v1/actions/a1"): (ADMIN, {"template": "t1"}),
    ("GET", "/v1/actions/a1"): (READ, None),
    ("GET", "/v1/registry/export"): (READ, None),
    ("GET", "/v1/statistics"): (FIGURES, None),
    ("GET", "/v1/statistics/users/u1"): (FIGURES, None),
    ("GET", "/v1/statistics/groups/g1"): (FIGURES, None),
    ("GET", "/v1/statistics/communities/c1"): (FIGURES, None),
    ("GET", "/v1/statistics/categories/c1"): (FIGURES, None),
    ("GET", f"/v1/statistics/notifications/{N}"): (FIGURES, None),
    ("GET", "/v1/statistics/top/groups"): (FIGURES, None),
    ("GET", "/v1/statistics/top/categories"): (FIGURES, None),
    ("GET", "/v1/statistics/top/reasons"): (FIGURES, None),
    ("GET", "/v1/statistics/top/devices"): (FIGURES, None),
    ("GET", "/v1/audit"): (ADMIN, None),
    ("GET", "/v1/tokens"): (ADMIN, None),
    ("POST", "/v1/tokens"): (ADMIN, {"name": "n", "scopes": ["admin"]}),
    ("POST", f"/v1/tokens/{T}/rotate"): (ADMIN, None),
    ("DELETE", f"/v1/tokens/{T}"): (ADMIN, None),
    ("GET", "/v1/mails"): (ADMIN, None),
    ("GET", f"/v1/mails/{N}"): (ADMIN, None),
    ("POST", "/v1/mails/allow"): (ADMIN, {"address": "a@example.org"}),
    ("GET", "/v1/settings/email"): (ADMIN, None),
    ("PUT", "/v1/settings/email"): (ADMIN, {"service": "disabled"}),
    ("PUT", "/v1/me/devices/d1"): (USER, DEVICE),
    ("GET", "/v1/me/devices"): (USER, None),
    ("DELETE", "/v1/me/devices/d1"): (USER, None),
    ("POST", "/v1/me/receipts"): (USER, {"receipts": [{"notification_id": N, "status": "read"}]}),
    ("GET", "/v1/me/notifications"): (USER, None),
    ("GET", "/v1/me/notifications/counts"): (USER, None),
    ("GET", f"/v1/me/notifications/{N}"): (USER, None),
    ("PATCH", f"/v1/me/notifications/{N}"): (USER, {"is_read": True}),
    ("POST", "/v1/me/notifications/read"): (USER, {"all": True}),
    ("GET", "/v1/me/subscriptions"): (USER, None),
    ("DELETE", "/v1/me/subscriptions/groups/g1"): (USER, None),
    ("PUT", "/v1/me/subscriptions/groups/g1"): (USER, None),
    ("DELETE", "/v1/me/subscriptions/categories/c1"): (USER, None),
    ("PUT", "/v1/me/subscriptions/categories/c1"): (USER, None),
}
GARBAGE = (
    *(None, "", "Bearer", "Bearer  ", "Bearer x", "Bearer nst", "Bearer nst_a_b", "Bearer a.b.c", "Bearer \xff"),
    *("Basic dTpw", "Digest a=b", "Token x", "x", "Bearer " + "x" * 5000),
)
PUBLIC = {"/healthz", "/readyz", "/metrics", "/openapi.json", "/asyncapi.json", "/docs/", "/docs/<path:path>"}
PROVED_OTHERWISE = {  # by a signature, by a link that nobody can make up
    ("POST", "/v1/hooks/sendgrid"),
    ("GET", "/v1/unsubscribe/<link>"),
    ("POST", "/v1/unsubscribe/<link>"),
}
SERVER_ROUTES = [route for route, (needed, _) in ROUTES.items() if needed is not USER]
USER_ROUTES = [route for route, (needed, _) in ROUTES.items() if needed is USER]


def rules(app):
    """But for those of JSON:API, which have a matrix of their own: tests/api/routes/test_jsonapi.py."""
    all_rules = [rule for rule in app.url_map.iter_rules() if not rule.rule.startswith("/jsonapi/")]
    return {(method, rule.rule) for rule in all_rules for method in rule.methods - {"HEAD"}}


@pytest.fixture
def house(services, backend, device_of, database):
    """A user with a device, a group, a notification, a token: something that each route could show or change."""
    backend.put("/v1/users/u1", {"community": "school"})
    backend.put("/v1/groups/g1", {"members": ["u1"]})
    device_of("u1").put("/v1/me/devices/d1", DEVICE)
    backend.put("/v1/templates/t1", {"locales": {"en": {"title": "t"}}})
    now = utc_now()
    Notifications(database).add(a_notification(id=N, audience=Audience(("u1",)), category="c1", created_at=now), None)
    Registry(database).insert([Arrivals(N, "c1", [Recipient("u1", ("g1",))])], now)
    Clients(database).add(T, "token", [Scope.ADMIN], Secret("0" * 64), now)


@pytest.fixture
def attempt(caller, house, stored):
    """Calls a route with some credential; at the end of the test nothing has changed since the first call."""
    before = []

    def call(route, authorization):
        if not before:
            before.append(stored())
        _, body = ROUTES[route]
        headers = {} if authorization is None else {"Authorization": authorization}
        return caller("")(*route, headers={"Authorization": ""} | headers, **({"json": body} if body else {}))

    yield call
    assert stored() == before[0]


@pytest.fixture
def past(config, database):
    """The services as they were two hours ago."""
    return build_services(config, database, clock=lambda: utc_now() - timedelta(hours=2))


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


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_without_a_token_and_with_garbage_nothing_happens(attempt, route):
    for authorization in GARBAGE:
        answer = attempt(route, authorization)
        refused(answer, 401)
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def forged(services):
    """Tokens that look like server tokens of ours."""
    good, other = (services.server_tokens.create(name, []).split("_", 2) for name in ("good", "other"))
    prefix, client, secret = good
    return [
        f"{prefix}_{client}_{other[2]}",
        f"{prefix}_{other[1]}_{secret}",
        f"{prefix}_{'f' * 12}_{secret}",
        f"x_{client}_{secret}",
        "_".join(good)[:-1],
        "_".join(good) + "x",
    ]


SERVER_TOKENS_OVER = {
    "expired": "This server token has expired.",
    "revoked": "This server token was revoked.",
    "rotated": "This server token was replaced by a newer one.",
}


def over(services, past):
    """Tokens that were good once, by what has become of them."""
    tokens = {
        "expired": past.server_tokens.create("expired", [], timedelta(hours=1)),
        "revoked": services.server_tokens.create("revoked", []),
        "rotated": services.server_tokens.create("rotated", []),
    }
    services.server_tokens.revoke(client_of(tokens["revoked"]))
    services.server_tokens.rotate(client_of(tokens["rotated"]), timedelta(0))
    return tokens


@pytest.mark.parametrize("route", SERVER_ROUTES, ids=" ".join)
def test_a_server_token_that_is_over_does_nothing_and_is_told_why(attempt, services, past, route):
    for why, token in over(services, past).items():
        answer = attempt(route, f"Bearer {token}")
        refused(answer, 401)
        assert answer.json["detail"] == SERVER_TOKENS_OVER[why]


@pytest.mark.parametrize("route", SERVER_ROUTES, ids=" ".join)
def test_a_server_token_that_is_forged_or_a_users_does_nothing(attempt, services, route):
    users = [services.user_tokens.mint(user)[0] for user in ("u1", "u2")]
    for token in [*forged(services), *users]:
        answer = attempt(route, f"Bearer {token}")
        refused(answer, 401)
        assert answer.json["detail"] == "This is not a valid server token."


@pytest.mark.parametrize("route", SERVER_ROUTES, ids=" ".join)
def test_a_server_token_without_the_scope_is_forbidden(attempt, services, route):
    others = [scope for scope in Scope if scope not in ROUTES[route][0]]
    refused(attempt(route, f"Bearer {services.server_tokens.create('others', others)}"), 403)


def claims(**changed):
    now = utc_now()
    made = {"sub": "u1", "iss": "notify-server", "aud": "notify-server", "iat": now, "exp": now + timedelta(hours=1)}
    return {name: value for name, value in (made | changed).items() if value is not None}


FORGED = {
    "alg none": lambda: jwt.encode(claims(), None, "none"),
    "another secret": lambda: jwt.encode(claims(), SECRET[::-1], "HS256"),
    "another audience": lambda: jwt.encode(claims(aud="other"), SECRET, "HS256"),
    "another issuer": lambda: jwt.encode(claims(iss="other"), SECRET, "HS256"),
    "expired": lambda: jwt.encode(claims(exp=utc_now() - timedelta(minutes=1)), SECRET, "HS256"),
    "of the future": lambda: jwt.encode(claims(iat=utc_now() + timedelta(minutes=1)), SECRET, "HS256"),
    "critical": lambda: jwt.encode(claims(), SECRET, "HS256", {"crit": ["exp"], "exp": 1}),
    "huge": lambda: jwt.encode(claims(more="x" * 9000), SECRET, "HS256"),
    "another key id": lambda: jwt.encode(claims(), SECRET, "HS256", {"kid": "../secret"}),
    "asymmetric": lambda: key_pair("e", "ES256").sign(sub="u1", iss="notify-server", aud="notify-server"),
    "not yet": lambda: jwt.encode(claims(nbf=utc_now() + timedelta(hours=1)), SECRET, "HS256"),
    **{f"no {name}": lambda name=name: jwt.encode(claims(**{name: None}), SECRET, "HS256") for name in claims()},
    **{
        f"sub {sub[:5]!r}": lambda sub=sub: jwt.encode(claims(sub=sub), SECRET, "HS256")
        for sub in ("", "a\0b", "a/b", "..", "u" * 129, "\ud800")
    },
    "cut": lambda: jwt.encode(claims(), SECRET, "HS256")[:-2],
}


def test_a_token_with_these_claims_is_good_so_that_the_next_test_can_fail(attempt):
    assert attempt(("GET", "/v1/me/devices"), f"Bearer {jwt.encode(claims(), SECRET, 'HS256')}").status_code == 200


@pytest.mark.parametrize("route", USER_ROUTES, ids=" ".join)
def test_a_user_token_that_proves_nothing_does_nothing(attempt, route):
    for forge in FORGED.values():
        refused(attempt(route, f"Bearer {forge()}"), 401)


@pytest.mark.parametrize("route", USER_ROUTES, ids=" ".join)
def test_an_old_user_token_of_ours_and_a_server_token_do_nothing(attempt, past, services, route):
    servers = [services.server_tokens.create("all", []), *over(services, past).values()]
    for token in [past.user_tokens.mint("u1")[0], *servers]:
        refused(attempt(route, f"Bearer {token}"), 401)


@pytest.fixture(scope="module")
def keyless_app(mongodb_uri, database_name, _migrated):
    """An application that no key is configured for."""
    config = Config(mongodb_uri=mongodb_uri, database=database_name, **UNLIMITED)
    return create_app(config, build_services(config, _migrated))


@pytest.fixture
def keyless(keyless_app, house, contract):
    """Makes callers of it."""
    return lambda token: Caller(keyless_app, contract, token)


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_where_no_key_is_configured_no_user_token_opens_anything(keyless, stored, route):
    before = stored()
    for token in (jwt.encode(claims(), SECRET, "HS256"), jwt.encode(claims(), None, "none"), ""):
        _, body = ROUTES[route]
        refused(keyless(token)(*route, **({"json": body} if body else {})), 401)
    assert stored() == before


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
