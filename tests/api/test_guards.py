"""Tokens that are good for nothing, at every route: they are refused, and nothing changes."""

from datetime import timedelta

import jwt
import pytest

from notify_server.api.app import create_app
from notify_server.bootstrap import build_services
from notify_server.config import Config
from notify_server.domain.server_token import client_of
from notify_server.services.clock import utc_now
from notify_server.services.server_tokens import Scope
from tests.api.caller import Caller, refused
from tests.api.conftest import SECRET, UNLIMITED
from tests.api.matrix import ROUTES, SERVER_ROUTES, USER_ROUTES, furnish
from tests.key_issuer import key_pair

GARBAGE = (
    *(None, "", "Bearer", "Bearer  ", "Bearer x", "Bearer nst", "Bearer nst_a_b", "Bearer a.b.c", "Bearer \xff"),
    *("Basic dTpw", "Digest a=b", "Token x", "x", "Bearer " + "x" * 5000),
)


@pytest.fixture(scope="module")
def database(shared_database):
    """One for all: each test proves that it has changed nothing."""
    return shared_database


@pytest.fixture(scope="module")
def house(_services, app, contract, database):
    backend, device = _services.server_tokens.create("backend", []), _services.user_tokens.mint("u1")[0]
    furnish(database, *(Caller(app, contract, token) for token in (backend, device)))


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


@pytest.fixture(scope="module")
def past(mongodb_uri, database_name, database):
    """The services as they were two hours ago."""
    config = Config(mongodb_uri=mongodb_uri, database=database_name, jwt_secret=SECRET, **UNLIMITED)
    return build_services(config, database, clock=lambda: utc_now() - timedelta(hours=2))


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_without_a_token_and_with_garbage_nothing_happens(attempt, route):
    for authorization in GARBAGE:
        answer = attempt(route, authorization)
        refused(answer, 401)
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.fixture(scope="module")
def forged(_services):
    """Tokens that look like server tokens of ours."""
    good, other = (_services.server_tokens.create(name, []).split("_", 2) for name in ("good", "other"))
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


@pytest.fixture(scope="module")
def over(_services, past):
    """Tokens that were good once, by what has become of them."""
    tokens = {
        "expired": past.server_tokens.create("expired", [], timedelta(hours=1)),
        "revoked": _services.server_tokens.create("revoked", []),
        "rotated": _services.server_tokens.create("rotated", []),
    }
    _services.server_tokens.revoke(client_of(tokens["revoked"]))
    _services.server_tokens.rotate(client_of(tokens["rotated"]), timedelta(0))
    return tokens


@pytest.mark.parametrize("route", SERVER_ROUTES, ids=" ".join)
def test_a_server_token_that_is_over_does_nothing_and_is_told_why(attempt, over, route):
    for why, token in over.items():
        answer = attempt(route, f"Bearer {token}")
        refused(answer, 401)
        assert answer.json["detail"] == SERVER_TOKENS_OVER[why]


@pytest.mark.parametrize("route", SERVER_ROUTES, ids=" ".join)
def test_a_server_token_that_is_forged_or_a_users_does_nothing(attempt, services, forged, route):
    users = [services.user_tokens.mint(user)[0] for user in ("u1", "u2")]
    for token in [*forged, *users]:
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
def test_an_old_user_token_of_ours_and_a_server_token_do_nothing(attempt, past, over, services, route):
    servers = [services.server_tokens.create("all", []), *over.values()]
    for token in [past.user_tokens.mint("u1")[0], *servers]:
        refused(attempt(route, f"Bearer {token}"), 401)


@pytest.fixture(scope="module")
def keyless_app(mongodb_uri, database_name, database):
    """An application that no key is configured for."""
    config = Config(mongodb_uri=mongodb_uri, database=database_name, **UNLIMITED)
    return create_app(config, build_services(config, database))


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
