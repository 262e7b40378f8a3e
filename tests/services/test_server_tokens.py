import hashlib
from datetime import timedelta

import pytest

from notify_server.errors import InvalidInput, NotFound, Unauthenticated
from notify_server.services.server_tokens import FRESH, KEPT, PREFIX, Scope, ServerTokens
from notify_server.storage.clients import Clients
from tests.builders import NOON, StoppedClock, at_once


@pytest.fixture
def clock():
    return StoppedClock()


@pytest.fixture
def tokens(database, clock):
    return ServerTokens(Clients(database), clock)


def client_of(token):
    return token.split("_")[1]


def test_a_token_names_its_client_and_its_scopes(tokens):
    token = tokens.create("backend", ["send", "read"])
    client = tokens.authenticate(token)
    assert (client.id, client.name, client.scopes) == (client_of(token), "backend", {Scope.SEND, Scope.READ})
    assert tokens.authenticate(tokens.create("all", [])).scopes == frozenset(Scope)


def test_only_a_hash_is_stored(tokens, database):
    token = tokens.create("backend", [])
    assert token.split("_", 2)[2] not in str(list(database["clients"].find()))
    assert "hash" not in tokens.listed()[0]


def test_two_tokens_of_one_name_differ(tokens):
    assert tokens.create("same", []) != tokens.create("same", [])


def test_an_unknown_scope_makes_no_token(tokens):
    with pytest.raises(InvalidInput) as caught:
        tokens.create("n", ["send", "fly"])
    assert caught.value.errors.keys() == {"scope"}
    assert tokens.listed() == []


def test_a_scope_of_a_newer_version_is_left_out(tokens, database):
    token = tokens.create("n", ["send"])
    database["clients"].update_one({}, {"$push": {"scopes": "teleport"}})
    assert tokens.authenticate(token).scopes == {Scope.SEND}


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: t + "x", lambda t: "x" + t, str.upper, client_of])
def test_a_token_that_is_changed_proves_nothing_even_while_the_true_one_is_remembered(tokens, change):
    token = tokens.create("backend", [])
    tokens.authenticate(token)
    with pytest.raises(Unauthenticated):
        tokens.authenticate(change(token))


def test_a_revoked_token_proves_nothing_at_once_where_it_was_revoked(tokens):
    token, other = tokens.create("backend", []), tokens.create("other", [])
    tokens.authenticate(token)
    tokens.revoke(client_of(token))
    with pytest.raises(Unauthenticated):
        tokens.authenticate(token)
    assert tokens.authenticate(other).name == "other"
    with pytest.raises(NotFound):
        tokens.revoke(client_of(token))
    assert [client["revoked_at"] for client in tokens.listed()].count(NOON) == 1


def test_in_another_process_a_revoked_token_proves_nothing_after_two_seconds(tokens, database, clock):
    elsewhere = ServerTokens(Clients(database), clock)
    token = tokens.create("backend", [])
    elsewhere.authenticate(token)
    tokens.revoke(client_of(token))
    clock.forward(FRESH.total_seconds() - 0.001)
    assert elsewhere.authenticate(token).name == "backend"
    clock.forward(0.001)
    with pytest.raises(Unauthenticated):
        elsewhere.authenticate(token)
    assert timedelta(seconds=2) >= FRESH


def test_what_is_remembered_does_not_live_longer_by_being_used(tokens, database, clock):
    token = tokens.create("backend", [])
    tokens.authenticate(token)
    database["clients"].delete_many({})
    for _ in range(3):
        clock.forward(0.6)
        tokens.authenticate(token)
    clock.forward(0.6)
    with pytest.raises(Unauthenticated):
        tokens.authenticate(token)


def test_a_clock_that_is_set_back_makes_nothing_last(tokens, clock):
    token = tokens.create("backend", [])
    tokens.authenticate(token)
    tokens._clients.revoke(client_of(token), clock())
    clock.forward(-3600)
    with pytest.raises(Unauthenticated):
        tokens.authenticate(token)


def test_a_refusal_is_not_remembered(tokens, database):
    token = tokens.create("backend", [])
    [stored] = database["clients"].find()
    database["clients"].delete_many({})
    with pytest.raises(Unauthenticated):
        tokens.authenticate(token)
    database["clients"].insert_one(stored)
    assert tokens.authenticate(token).name == "backend"


def test_no_more_than_so_many_are_remembered_and_the_oldest_is_forgotten_first(tokens, database):
    names = [f"c{n:04}" for n in range(KEPT + 1)]
    ours = {"hash": hashlib.sha256(b"s").hexdigest(), "scopes": [], "created_at": NOON, "revoked_at": None}
    database["clients"].insert_many([{"_id": name, "name": name, **ours} for name in names])
    for name in names:
        tokens.authenticate(f"{PREFIX}_{name}_s")
    database["clients"].delete_many({})
    with pytest.raises(Unauthenticated):
        tokens.authenticate(f"{PREFIX}_{names[0]}_s")
    assert tokens.authenticate(f"{PREFIX}_{names[1]}_s").id == names[1]
    assert tokens.authenticate(f"{PREFIX}_{names[-1]}_s").id == names[-1]


def test_many_threads_authenticate_and_revoke_at_once(tokens):
    made = [tokens.create(f"t{n}", []) for n in range(8)]

    def use(token):
        for _ in range(50):
            assert tokens.authenticate(token).id == client_of(token)
        tokens.revoke(client_of(token))

    at_once(*[lambda token=token: use(token) for token in made])
    assert all(client["revoked_at"] for client in tokens.listed())
