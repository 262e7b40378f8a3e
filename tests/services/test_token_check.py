import time
from datetime import timedelta

import pytest

from notify_server.domain.server_token import Client, Scope, client_of, compose, digest
from notify_server.errors import Unauthenticated
from notify_server.services.server_tokens import ServerTokens
from notify_server.services.token_check import TokenCheck
from notify_server.services.token_memory import FRESH, NOTED
from notify_server.storage.clients import Clients
from notify_server.storage.documents import Store
from tests.builders import NOON, StoppedClock, after

UNKNOWN = "This is not a valid server token."


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def tokens(database: Store, clock: StoppedClock) -> ServerTokens:
    """Where tokens are made and ended: another process."""
    return ServerTokens(Clients(database), clock)


@pytest.fixture
def check(database: Store, clock: StoppedClock) -> TokenCheck:
    return TokenCheck(Clients(database), clock)


def refusal(check: TokenCheck, token: str) -> str:
    with pytest.raises(Unauthenticated) as caught:
        check.authenticate(token)
    return str(caught.value)


def used_at(tokens: ServerTokens, token: str) -> object:
    return tokens.get(client_of(token))["used_at"]


def test_a_token_names_its_client_and_its_scopes(check: TokenCheck, tokens: ServerTokens) -> None:
    token = tokens.create("backend", ["send", "read"])
    assert check.authenticate(token) == Client(client_of(token), "backend", frozenset({Scope.SEND, Scope.READ}))


def test_a_scope_of_a_newer_version_is_left_out(check: TokenCheck, tokens: ServerTokens, database: Store) -> None:
    token = tokens.create("n", ["send"])
    database["clients"].update_one({}, {"$push": {"scopes": "teleport"}})
    assert check.authenticate(token).scopes == {Scope.SEND}


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: t + "x", lambda t: "x" + t, str.upper, client_of])
def test_a_token_that_is_changed_proves_nothing_even_while_the_true_one_is_remembered(check, tokens, change) -> None:  # type: ignore[no-untyped-def]
    token = tokens.create("backend", [])
    check.authenticate(token)
    assert refusal(check, change(token)) == UNKNOWN


def test_an_unknown_client_is_answered_like_a_wrong_secret(check: TokenCheck, tokens: ServerTokens) -> None:
    token, other = tokens.create("a", []), tokens.create("b", [])
    secret = other.removeprefix(compose(client_of(other), ""))
    revoked = tokens.create("c", [], timedelta(seconds=1))
    tokens.revoke(client_of(revoked))
    forged = [compose(client, secret) for client in ("0" * 12, client_of(token), client_of(revoked))]
    assert {refusal(check, each) for each in forged} == {UNKNOWN}


def test_the_hash_of_nobody_opens_nothing(check: TokenCheck, tokens: ServerTokens) -> None:
    token = tokens.create("a", [])
    for client in ("0" * 12, client_of(token)):
        assert refusal(check, compose(client, "0" * 43)) == UNKNOWN
        assert refusal(check, f"nst_{client}_{'0' * 64}") == UNKNOWN


def test_who_has_the_secret_is_told_why_it_is_refused(
    check: TokenCheck, tokens: ServerTokens, clock: StoppedClock
) -> None:
    ending, revoked, rotated = tokens.create("a", [], after(60)), tokens.create("b", []), tokens.create("c", [])
    tokens.revoke(client_of(revoked))
    tokens.rotate(client_of(rotated), timedelta(seconds=60))
    clock.forward(60)
    assert refusal(check, ending) == "This server token has expired."
    assert refusal(check, revoked) == "This server token was revoked."
    assert refusal(check, rotated) == "This server token was replaced by a newer one."


def test_in_another_process_a_revoked_token_proves_nothing_once_it_is_no_longer_fresh(
    check: TokenCheck, tokens: ServerTokens, clock: StoppedClock
) -> None:
    token = tokens.create("backend", [])
    check.authenticate(token)
    tokens.revoke(client_of(token))
    clock.forward(FRESH.total_seconds() - 0.001)
    assert check.authenticate(token).name == "backend"
    clock.forward(0.001)
    refusal(check, token)


def test_an_expiry_needs_no_look_at_the_database(check: TokenCheck, tokens: ServerTokens, clock: StoppedClock) -> None:
    token = tokens.create("backend", [], timedelta(seconds=1))
    check.authenticate(token)
    clock.forward(1)
    refusal(check, token)


def test_what_is_remembered_does_not_live_longer_by_being_used(
    check: TokenCheck, tokens: ServerTokens, database: Store, clock: StoppedClock
) -> None:
    token = tokens.create("backend", [])
    check.authenticate(token)
    database["clients"].delete_many({})
    for _ in range(3):
        clock.forward(FRESH.total_seconds() * 0.3)
        check.authenticate(token)
    clock.forward(FRESH.total_seconds() * 0.3)
    refusal(check, token)


def test_a_refusal_is_not_remembered(check: TokenCheck, tokens: ServerTokens, database: Store) -> None:
    token = tokens.create("backend", [])
    [stored] = database["clients"].find()
    database["clients"].delete_many({})
    refusal(check, token)
    database["clients"].insert_one(stored)
    assert check.authenticate(token).name == "backend"


def test_what_was_changed_here_acts_here_at_once(check: TokenCheck, tokens: ServerTokens) -> None:
    token = tokens.create("backend", [])
    check.authenticate(token)
    tokens.revoke(client_of(token))
    check.forget()
    refusal(check, token)


def test_the_last_use_is_noted_once_a_minute_and_a_refusal_is_no_use(
    check: TokenCheck, tokens: ServerTokens, clock: StoppedClock
) -> None:
    token, ended = tokens.create("a", []), tokens.create("b", [])
    tokens.revoke(client_of(ended))
    for seconds in (0, 1, NOTED.total_seconds() - 2):
        clock.forward(seconds)
        check.authenticate(token)
    while used_at(tokens, token) is None:
        time.sleep(0.01)
    assert used_at(tokens, token) == NOON
    clock.forward(1)
    check.authenticate(token)
    while used_at(tokens, token) == NOON:
        time.sleep(0.01)
    refusal(check, ended)
    assert (used_at(tokens, token), used_at(tokens, ended)) == (clock(), None)


def test_a_holder_is_known_by_the_digest_of_a_secret_for_as_long_as_that_is_good(
    check: TokenCheck, tokens: ServerTokens, clock: StoppedClock
) -> None:
    token = tokens.create("backend", ["send"])
    client, proof = client_of(token), digest(token.split("_", 2)[2])
    assert check.holder(client, proof) == check.authenticate(token)
    for wrong in ((client, digest("another")), ("0" * 12, proof), (client, proof.upper())):
        with pytest.raises(Unauthenticated, match=UNKNOWN):
            check.holder(*wrong)
    tokens.revoke(client)
    with pytest.raises(Unauthenticated, match="revoked"):
        check.holder(client, proof)  # no matter what is still remembered
