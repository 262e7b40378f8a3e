from datetime import timedelta

import pytest

from notify_server.domain.server_token import client_of, prefix_of
from notify_server.errors import Conflict, Forbidden, InvalidInput, NotFound, Unauthenticated
from notify_server.services.server_tokens import MAX_NAME, MAX_OVERLAP, OVERLAP, Scope, ServerTokens, State
from notify_server.storage.clients import Clients
from tests.builders import NOON, StoppedClock, after, at_once

HOUR = timedelta(hours=1)


@pytest.fixture
def clock():
    return StoppedClock()


@pytest.fixture
def tokens(database, clock):
    return ServerTokens(Clients(database), clock)


def refused(tokens, token):
    with pytest.raises(Unauthenticated):
        tokens.authenticate(token)


def test_only_a_hash_is_stored_and_nothing_of_it_is_shown(tokens, database):
    token = tokens.create("backend", [])
    secret = token.removeprefix(f"{prefix_of(client_of(token))}_")
    [stored] = database["clients"].find()
    assert secret not in str(stored)
    assert stored["hash"] not in str(tokens.listed())


def test_a_secret_has_256_random_bits(tokens):
    secrets = {tokens.create("same", []).split("_", 2)[2] for _ in range(50)}
    assert len(secrets) == 50
    assert {len(secret) for secret in secrets} == {43}  # base64url of 32 bytes


def test_without_scopes_a_token_may_do_everything_else_only_what_is_named(tokens):
    assert tokens.authenticate(tokens.create("all", [])).scopes == frozenset(Scope)
    assert tokens.authenticate(tokens.create("few", ["read", "send"])).scopes == {Scope.SEND, Scope.READ}


def test_what_cannot_be_makes_no_token(tokens):
    for name, scopes, expires, field in (
        ("n", ["send", "fly"], None, "scope"),
        ("", [], None, "name"),
        (" ", [], None, "name"),
        ("a\x1b[2J", [], None, "name"),
        ("n" * (MAX_NAME + 1), [], None, "name"),
        ("n", [], NOON, "expires_at"),
        ("n", [], timedelta(0), "expires_at"),
    ):
        with pytest.raises(InvalidInput) as caught:
            tokens.create(name, scopes, expires)
        assert caught.value.errors.keys() == {field}
    assert tokens.listed() == []


def test_a_token_ends_when_it_was_said_to(tokens, clock):
    by_date, by_time = tokens.create("a", [], after(3600)), tokens.create("b", [], HOUR)
    clock.forward(3599)
    for token in (by_date, by_time):
        tokens.authenticate(token)
    clock.forward(1)
    for token in (by_date, by_time):
        refused(tokens, token)
    assert {shown["state"] for shown in tokens.listed()} == {State.EXPIRED}


def test_the_list_says_everything_that_may_be_shown(tokens, clock):
    token = tokens.create("backend", ["send"], HOUR)
    tokens.rotate(client_of(token), timedelta(minutes=1))
    shown = {
        "_id": client_of(token),
        "prefix": token[: len("nst_") + 12],
        "name": "backend",
        "scopes": ["send"],
        "state": State.ACTIVE,
        "created_at": NOON,
        "expires_at": after(3600),
        "rotated_at": NOON,
        "previous_until": after(60),
        "revoked_at": None,
        "used_at": None,
    }
    assert tokens.listed() == [shown]
    clock.forward(60)
    assert tokens.get(client_of(token)) == shown | {"previous_until": None}
    tokens.revoke(client_of(token))
    assert tokens.get(client_of(token))["state"] is State.REVOKED
    with pytest.raises(NotFound):
        tokens.get("nobody")


class TestRotation:
    def test_both_secrets_are_good_until_the_overlap_ends(self, tokens, clock):
        old = tokens.create("backend", ["send"])
        new = tokens.rotate(client_of(old), HOUR)
        assert new != old
        assert tokens.authenticate(new) == tokens.authenticate(old)
        clock.forward(3600)
        refused(tokens, old)
        assert tokens.authenticate(new).scopes == {Scope.SEND}

    def test_the_overlap_is_a_day_unless_said_otherwise(self, tokens, clock):
        old = tokens.create("backend", [])
        tokens.rotate(client_of(old))
        clock.forward(OVERLAP.total_seconds() - 1)
        tokens.authenticate(old)
        clock.forward(1)
        refused(tokens, old)
        assert timedelta(hours=24) == OVERLAP

    def test_without_overlap_the_old_secret_ends_here_at_once(self, tokens):
        old = tokens.create("backend", [])
        tokens.authenticate(old)
        new = tokens.rotate(client_of(old), timedelta(0))
        refused(tokens, old)
        tokens.authenticate(new)

    def test_a_second_rotation_ends_the_secret_before_the_last(self, tokens):
        first = tokens.create("backend", [])
        second = tokens.rotate(client_of(first), HOUR)
        third = tokens.rotate(client_of(first), HOUR)
        refused(tokens, first)
        assert tokens.authenticate(second) == tokens.authenticate(third)

    def test_the_old_secret_never_outlives_its_own_expiry(self, tokens, clock):
        old = tokens.create("backend", [], HOUR)
        new = tokens.rotate(client_of(old), timedelta(days=1), expires=timedelta(days=90))
        clock.forward(3600)
        refused(tokens, old)
        tokens.authenticate(new)
        assert tokens.get(client_of(new))["expires_at"] == after(90 * 86400)

    def test_the_expiry_stays_unless_said_otherwise(self, tokens):
        old = tokens.create("backend", [], HOUR)
        tokens.rotate(client_of(old))
        assert tokens.get(client_of(old))["expires_at"] == after(3600)

    def test_revoking_ends_both_secrets(self, tokens):
        old = tokens.create("backend", [])
        new = tokens.rotate(client_of(old))
        tokens.revoke(client_of(old))
        for token in (old, new):
            refused(tokens, token)

    def test_what_is_not_good_any_more_is_not_rotated(self, tokens, clock):
        expired, revoked = tokens.create("a", [], HOUR), tokens.create("b", [])
        tokens.revoke(client_of(revoked))
        clock.forward(3600)
        for client in (client_of(expired), client_of(revoked), "nobody"):
            with pytest.raises(NotFound):
                tokens.rotate(client, expires=HOUR)

    def test_what_cannot_be_changes_nothing(self, tokens):
        token = tokens.create("backend", ["send", "read"])
        client, before = client_of(token), tokens.listed()
        for problem, options in (
            (InvalidInput, {"overlap": timedelta(seconds=-1)}),
            (InvalidInput, {"overlap": MAX_OVERLAP + timedelta(seconds=1)}),
            (InvalidInput, {"expires": NOON}),
            (Forbidden, {"within": {Scope.SEND, Scope.ADMIN}}),
        ):
            with pytest.raises(problem):
                tokens.rotate(client, **options)
        assert tokens.listed() == before
        tokens.rotate(client, within={Scope.SEND, Scope.READ})

    def test_of_two_at_once_one_wins_or_one_comes_after_the_other(self, tokens):
        client = client_of(tokens.create("backend", []))

        def rotate():
            try:
                return tokens.rotate(client)
            except Conflict:
                return None

        made = [token for token in at_once(*[rotate] * 4) if token]
        good = []
        for token in made:
            try:
                good.append(tokens.authenticate(token))
            except Unauthenticated:
                continue
        assert 1 <= len(good) <= min(2, len(made))


def test_a_revoked_token_proves_nothing_at_once_where_it_was_revoked(tokens):
    token, other = tokens.create("backend", []), tokens.create("other", [])
    tokens.authenticate(token)
    tokens.revoke(client_of(token))
    refused(tokens, token)
    assert tokens.authenticate(other).name == "other"
    with pytest.raises(NotFound):
        tokens.revoke(client_of(token))
    assert [client["revoked_at"] for client in tokens.listed()].count(NOON) == 1


def test_many_threads_authenticate_and_revoke_at_once(tokens):
    made = [tokens.create(f"t{n}", []) for n in range(8)]

    def use(token):
        for _ in range(50):
            assert tokens.authenticate(token).id == client_of(token)
        tokens.revoke(client_of(token))

    at_once(*[lambda token=token: use(token) for token in made])
    assert all(client["revoked_at"] for client in tokens.listed())
