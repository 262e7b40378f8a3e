from dataclasses import replace
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from notify_server.api.app import create_app
from notify_server.bootstrap import build_services
from notify_server.domain.registry import Event, Note
from notify_server.storage.registry import Registry
from tests.api.caller import Caller, refused
from tests.api.conftest import SECRET
from tests.key_issuer import KeyIssuer, key_pair

PATH = "/v1/users/u1"
PROFILE = {
    "community": "school-1",
    "groups": ["class-102", "class-101"],
    "email": "u1@example.org",
    "locale": "de-AT",
    "timezone": "Europe/Vienna",
}


def test_a_user_is_made_with_201_and_changed_with_200(backend):
    made = backend.put(PATH, PROFILE)
    assert made.status_code == 201
    assert made.json == PROFILE | {
        "id": "u1",
        "groups": ["class-101", "class-102"],
        "created_at": made.json["created_at"],
    }
    changed = backend.put(PATH, {"locale": None, "groups": []})
    assert changed.status_code == 200
    assert changed.json == made.json | {"locale": None, "groups": []}
    assert backend.get(PATH).json == changed.json


def test_a_user_needs_nothing_but_an_id(backend):
    answer = backend.put(PATH, {})
    assert answer.status_code == 201
    assert {name for name, value in answer.json.items() if value} == {"id", "created_at"}


def test_a_user_who_is_not_there_is_not_found(backend):
    refused(backend.get(PATH), 404)
    refused(backend.delete(PATH), 404)
    refused(backend.get(f"{PATH}/registry"), 404)


def test_erasing_a_person_leaves_nothing_of_them(backend, device_of, notify, stored):
    backend.put(PATH, PROFILE)
    device_of("u1").put("/v1/me/devices/d1", {"platform": "ios", "token": "t"})
    notify("u1", "u2")
    assert backend.delete(PATH).status_code == 204
    refused(backend.get(PATH), 404)
    assert device_of("u1").get("/v1/me/devices").json == {"devices": []}
    left = stored()
    assert [entry["_id"]["u"] for entry in left["registry"]] == ["u2"]
    assert left["devices"] == []


def test_the_registry_of_a_user_is_newest_first_in_stable_pages(backend, notify, database):
    backend.put(PATH, {})
    notified = [notify("u1", "u2") for _ in range(3)]
    Registry(database).move(Event.SEND, {notified[0]: ["u1"]}, Note(datetime.now(UTC)))
    first = backend.get(f"{PATH}/registry?limit=2").json
    notify("u1")
    second = backend.get(f"{PATH}/registry?limit=2&cursor={first['next']}").json
    entries = first["entries"] + second["entries"]
    assert [entry["notification_id"] for entry in entries] == notified[::-1]
    assert {entry["user_id"] for entry in entries} == {"u1"}
    assert [entry["status"] for entry in entries] == ["pending", "pending", "sent"]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("query", "field"), [("cursor=dTE", "cursor"), ("cursor=!", "cursor"), ("limit=1000", "limit"), ("page=2", "page")]
)
def test_a_bad_query_is_refused_by_name(backend, query, field):
    backend.put(PATH, {})
    refused(backend.get(f"{PATH}/registry?{query}"), 422, field)


def test_a_user_token_names_the_user_and_ends(backend, caller):
    answer = backend.post(f"{PATH}/tokens")
    assert answer.status_code == 201
    claims = jwt.decode(answer.json["token"], SECRET, ["HS256"], audience="notify-server", issuer="notify-server")
    assert claims["sub"] == "u1"
    ends = datetime.fromisoformat(answer.json["expires_at"])
    assert ends == datetime.fromtimestamp(claims["exp"], UTC)
    assert timedelta(minutes=59) < ends - datetime.fromtimestamp(claims["iat"], UTC) <= timedelta(hours=1)
    assert caller(answer.json["token"]).get("/v1/me/devices").status_code == 200


@pytest.fixture
def called_with(config, database, services, contract):
    """Makes a backend of an application that has these settings."""

    def call(**settings):
        app = create_app(config, build_services(replace(config, **settings), database))
        return lambda token=None: Caller(app, contract, token or services.server_tokens.create("backend", []))

    return call


@pytest.mark.parametrize("url", ["", "https://issuer.example/keys"])
def test_without_a_secret_no_user_token_is_minted_and_that_is_no_error_of_ours(called_with, url):
    answer = called_with(jwt_secret="", jwt_jwks_url=url)().post(f"{PATH}/tokens")
    refused(answer, 409)
    assert "NOTIFY_JWT_SECRET" in answer.json["detail"]


def test_while_a_foreign_issuers_keys_cannot_be_had_its_tokens_are_answered_503_with_retry_after(called_with):
    with KeyIssuer(key_pair("e", "ES256")) as issuer:
        issuer.status = 500
        answer = called_with(jwt_jwks_url=issuer.url)(issuer.keys[0].sign()).get("/v1/me/devices")
    refused(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0


def test_a_user_token_is_kept_by_no_cache(backend):
    assert backend.post(f"{PATH}/tokens").headers["Cache-Control"] == "no-store"
