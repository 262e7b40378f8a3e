import json
import re
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


def test_erasing_a_person_leaves_nothing_of_them_and_says_what_went(backend, device_of, notify, database):
    backend.put(PATH, PROFILE)
    device_of("u1").put("/v1/me/devices/d1", {"platform": "ios", "token": "t"})
    notified = notify("u1", "u2")
    database["notifications"].update_many({}, {"$set": {"expanded": True, "recipients": 2}})
    proof = backend.delete(PATH)
    assert proof.status_code == 200
    assert proof.json["erased"] == {"devices": 1, "entries": 1, "mails": 0, "profiles": 1}
    assert proof.json["complete"] is True
    refused(backend.get(PATH), 404)
    shown = backend.get(f"/v1/notifications/{notified}").json
    assert (shown["recipients"], shown["counts"]["pending"], shown["erased"]["pending"]) == (2, 1, 1)
    for name in database.list_collection_names():
        assert "'u1'" not in str(list(database[name].find())), name
    refused(backend.delete(PATH), 404)
    [again, line] = backend.get("/v1/audit?object=u1&action=users.erase").json["lines"]
    assert (line["status"], again["status"]) == (200, 404)
    assert line["object"] == {"kind": "user", "id": proof.json["pseudonym"], "pseudonym": True} == again["object"]


def test_who_was_only_given_a_token_is_exported_and_erased(backend, database):
    assert backend.post("/v1/users/ghost/tokens").status_code == 201
    records = [json.loads(line) for line in backend.get("/v1/users/ghost/export").text.splitlines()]
    assert [record["kind"] for record in records] == ["export", "audit", "end"]
    assert (records[1]["action"], records[1]["object"]) == ("users.mint", {"kind": "user", "id": "ghost"})
    assert backend.delete("/v1/users/ghost").json["complete"] is True
    for name in database.list_collection_names():
        assert "ghost" not in str(list(database[name].find())), name
    refused(backend.get("/v1/users/ghost/export"), 404)
    refused(backend.delete("/v1/users/ghost"), 404)


def test_what_an_erased_person_did_is_tied_to_nobody(backend, device_of, database):
    phone = device_of("u1")
    phone.put("/v1/me/devices/my-own-phone", {"platform": "ios", "token": "t"})
    phone.delete("/v1/me/subscriptions/categories/clinic")
    proof = backend.delete(PATH).json
    assert not re.search("'u1'|my-own-phone|clinic", str(list(database["audit"].find())))
    for actor in ("u1", proof["pseudonym"]):
        assert backend.get(f"/v1/audit?actor={actor}").json["lines"] == []
    lines = [line for line in backend.get("/v1/audit").json["lines"] if line["actor"]["kind"] == "user"]
    assert [line["action"] for line in lines] == ["subscriptions.mute_category", "me.register"]
    for line in lines:
        assert (line["actor"]["id"], line["object"]["id"], line["address"]) == (line["id"], line["id"], None)


def test_a_person_is_exported_line_by_line(backend, device_of, notify):
    backend.put(PATH, PROFILE)
    device_of("u1").put("/v1/me/devices/d1", {"platform": "ios", "token": "t-1"})
    notified = notify("u1", "u2")
    answer = backend.get(f"{PATH}/export")
    assert (answer.status_code, answer.mimetype, answer.headers["Cache-Control"]) == (
        200,
        "application/x-ndjson",
        "no-store",
    )
    records = [json.loads(line) for line in answer.text.splitlines()]
    assert [record["kind"] for record in records[:4]] == ["export", "profile", "device", "entry"]
    assert (records[1]["email"], records[2]["target"]) == ("u1@example.org", "token:t-1")
    assert (records[3]["notification_id"], records[3]["notification"]["message"]["title"]) == (notified, "Hello")
    assert records[-1] == {"kind": "end", "records": {"profile": 1, "device": 1, "entry": 1, "audit": 2}}
    refused(backend.get("/v1/users/nobody/export"), 404)


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
