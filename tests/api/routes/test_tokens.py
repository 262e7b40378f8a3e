from datetime import UTC, datetime, timedelta

import pytest

from notify_server.domain.server_token import client_of
from notify_server.services.server_tokens import Scope
from tests.api.caller import refused

WANTED = {"name": "statistics", "scopes": ["read", "statistics"]}


def secrets_of(*tokens):
    return [token.split("_", 2)[2] for token in tokens]


@pytest.fixture
def made(backend):
    answer = backend.post("/v1/tokens", WANTED)
    assert answer.status_code == 201
    return answer


def test_a_token_is_made_with_its_scopes_and_shown_once(backend, caller, made):
    token = made.json["token"]
    assert made.headers["Cache-Control"] == "no-store"
    assert made.json["id"] == client_of(token)
    assert (made.json["name"], made.json["scopes"]) == ("statistics", ["read", "statistics"])
    assert (made.json["state"], made.json["expires_at"]) == ("active", None)
    assert caller(token).get("/v1/notifications").status_code == 200
    refused(caller(token).get("/v1/tokens"), 403)
    assert secrets_of(token)[0] not in backend.get("/v1/tokens").text


def test_a_token_with_an_expiry_says_so(backend):
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(days=90)
    made = backend.post("/v1/tokens", WANTED | {"expires_at": soon.isoformat()})
    assert datetime.fromisoformat(made.json["expires_at"]) == soon


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"name": None}, ["name"]),
        ({"name": ""}, ["name"]),
        ({"name": "a\x1bb"}, ["name"]),
        ({"name": "n" * 101}, ["name"]),
        ({"scopes": []}, ["scopes"]),
        ({"scopes": None}, ["scopes"]),
        ({"scopes": ["fly"]}, ["scopes.0"]),
        ({"scopes": "read"}, ["scopes"]),
        ({"expires_at": "2020-01-01T00:00:00Z"}, ["expires_at"]),
        ({"expires_at": "90d"}, ["expires_at"]),
        ({"secret": "mine"}, ["secret"]),
    ],
)
def test_what_cannot_be_is_refused_by_field_and_makes_none(backend, stored, changed, fields):
    before = len(stored()["clients"])
    refused(backend.post("/v1/tokens", WANTED | changed), 422, *fields)
    assert len(stored()["clients"]) == before


def test_scopes_must_be_named(backend):
    refused(backend.post("/v1/tokens", {"name": "n"}), 422, "scopes")


def test_tokens_are_listed_page_by_page(backend, services):
    made = {client_of(services.server_tokens.create(f"t{number}", ["read"])) for number in range(5)}
    seen, cursor = [], ""
    while cursor is not None:
        page = backend.get(f"/v1/tokens?limit=2{cursor and '&cursor='}{cursor}").json
        assert len(page["tokens"]) <= 2
        seen += [token["id"] for token in page["tokens"]]
        cursor = page["next"]
    assert seen == sorted(seen)
    assert made < set(seen)
    assert len(seen) == 6  # and the backend's own
    refused(backend.get("/v1/tokens?cursor=!"), 422, "cursor")


def test_a_rotated_token_has_two_secrets_until_the_overlap_ends(backend, caller, made):
    old = made.json["token"]
    answer = backend.post(f"/v1/tokens/{made.json['id']}/rotate", {"overlap": 3600})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert answer.json["previous_until"] > answer.json["rotated_at"]
    for token in (old, answer.json["token"]):
        assert caller(token).get("/v1/notifications").status_code == 200
    listed = backend.get("/v1/tokens").text
    assert not [secret for secret in secrets_of(old, answer.json["token"]) if secret in listed]


def test_without_an_overlap_the_old_secret_ends_at_once(backend, caller, made):
    answer = backend.post(f"/v1/tokens/{made.json['id']}/rotate", {"overlap": 0})
    assert answer.json["previous_until"] is None
    problem = caller(made.json["token"]).get("/v1/notifications")
    refused(problem, 401)
    assert problem.json["detail"] == "This server token was replaced by a newer one."


def test_the_body_of_a_rotation_may_be_left_out_but_must_make_sense(backend, made):
    path = f"/v1/tokens/{made.json['id']}/rotate"
    assert backend.post(path).status_code == 200
    for overlap in (-1, 30 * 86400 + 1, 1.5, "1h", None):
        refused(backend.post(path, {"overlap": overlap}), 422, "overlap")
    refused(backend.post(path, {"expires_at": "2020-01-01T00:00:00Z"}), 422, "expires_at")


def test_a_revoked_token_is_over(backend, caller, made):
    path = f"/v1/tokens/{made.json['id']}"
    assert backend.delete(path).status_code == 204
    problem = caller(made.json["token"]).get("/v1/notifications")
    refused(problem, 401)
    assert problem.json["detail"] == "This server token was revoked."
    refused(backend.delete(path), 404)
    refused(backend.post(f"{path}/rotate"), 404)


def test_an_expired_token_is_told_so(caller, services, made, database):
    past = datetime.now(UTC) - timedelta(seconds=1)
    database["clients"].update_one({"_id": made.json["id"]}, {"$set": {"expires_at": past}})
    problem = caller(made.json["token"]).get("/v1/notifications")
    refused(problem, 401)
    assert problem.json["detail"] == "This server token has expired."


@pytest.mark.parametrize("token_id", ["nobody", "0" * 12, "%00", "..", "a" * 1000, "%ff"])
def test_a_token_that_is_not_there_is_not_found(backend, token_id):
    refused(backend.delete(f"/v1/tokens/{token_id}"), 404)
    refused(backend.post(f"/v1/tokens/{token_id}/rotate"), 404)


class TestNobodyHandsOutWhatTheyDoNotHave:
    @pytest.fixture
    def admin(self, caller, services):
        return caller(services.server_tokens.create("admin", [Scope.ADMIN, Scope.READ]))

    def test_no_token_with_more_scopes_is_made(self, admin, stored):
        before = len(stored()["clients"])
        refused(admin.post("/v1/tokens", {"name": "n", "scopes": ["read", "send"]}), 403)
        assert len(stored()["clients"]) == before
        assert admin.post("/v1/tokens", {"name": "n", "scopes": ["read"]}).status_code == 201

    def test_nor_is_the_secret_of_one_asked_for(self, admin, caller, services):
        more, fewer = services.server_tokens.create("m", ["send"]), services.server_tokens.create("f", ["read"])
        refused(admin.post(f"/v1/tokens/{client_of(more)}/rotate"), 403)
        assert services.server_tokens.get(client_of(more))["rotated_at"] is None
        assert admin.post(f"/v1/tokens/{client_of(fewer)}/rotate").status_code == 200

    def test_but_any_token_can_be_ended(self, admin, services):
        more = services.server_tokens.create("m", ["send"])
        assert admin.delete(f"/v1/tokens/{client_of(more)}").status_code == 204


class TestNothingOutlivesWhoAskedForIt:
    @pytest.fixture
    def token(self, services):
        return services.server_tokens.create("admin", [Scope.ADMIN, Scope.READ], timedelta(hours=1))

    @pytest.fixture
    def ends_at(self, services, token):
        return services.server_tokens.get(client_of(token))["expires_at"]

    def test_a_token_that_ends_makes_none_that_ends_later_or_never(self, caller, stored, token, ends_at):
        before = len(stored()["clients"])
        for expires_at in (None, (ends_at + timedelta(milliseconds=1)).isoformat(), "2099-01-01T00:00:00Z"):
            refused(
                caller(token).post("/v1/tokens", WANTED | {"scopes": ["read"], "expires_at": expires_at}),
                422,
                "expires_at",
            )
        assert len(stored()["clients"]) == before
        child = caller(token).post("/v1/tokens", WANTED | {"scopes": ["read"], "expires_at": ends_at.isoformat()})
        assert datetime.fromisoformat(child.json["expires_at"]) == ends_at

    def test_nor_does_it_make_itself_or_another_last_longer(self, caller, services, token, ends_at):
        unending = services.server_tokens.create("unending", ["read"])
        for client in (client_of(token), client_of(unending)):
            path = f"/v1/tokens/{client}/rotate"
            refused(caller(token).post(path, {"expires_at": "2099-01-01T00:00:00Z"}), 422, "expires_at")
        refused(caller(token).post(f"/v1/tokens/{client_of(unending)}/rotate"), 422, "expires_at")
        assert services.server_tokens.get(client_of(unending))["rotated_at"] is None
        rotated = caller(token).post(f"/v1/tokens/{client_of(token)}/rotate")
        assert datetime.fromisoformat(rotated.json["expires_at"]) == ends_at

    def test_nor_does_a_secret_that_was_replaced(self, caller, services):
        old = services.server_tokens.create("admin", [Scope.ADMIN, Scope.READ])
        new = services.server_tokens.rotate(client_of(old), timedelta(hours=1))
        for path, body in ((f"/v1/tokens/{client_of(old)}/rotate", {}), ("/v1/tokens", WANTED | {"scopes": ["read"]})):
            refused(caller(old).post(path, body), 422, "expires_at")
        assert caller(new).post(f"/v1/tokens/{client_of(new)}/rotate").status_code == 200
