import secrets

import pytest

from notify_server.domain.server_token import (
    PREFIX,
    Scope,
    State,
    client_of,
    compose,
    digest,
    granted,
    prefix_of,
    state,
    take_apart,
)
from tests.builders import NOON, after

CLIENT, SECRET = "0123456789ab", secrets.token_urlsafe(32)
TOKEN = compose(CLIENT, SECRET)


def test_a_token_is_taken_apart_as_it_was_composed() -> None:
    assert take_apart(TOKEN) == (CLIENT, SECRET)
    assert client_of(TOKEN) == CLIENT
    assert TOKEN.startswith(f"{prefix_of(CLIENT)}_")
    assert prefix_of(CLIENT).startswith(f"{PREFIX}_")


@pytest.mark.parametrize(
    "token",
    [
        "",
        TOKEN[:-1],
        TOKEN + "x",
        TOKEN + "\n",
        TOKEN.upper(),
        f" {TOKEN}",
        f"x{TOKEN}",
        f"{PREFIX}_{CLIENT}",
        f"{PREFIX}_{CLIENT[:-1]}\0_{SECRET}",
        f"{PREFIX}_{CLIENT}_{SECRET[:-1]}\ud800",
        TOKEN * 1000,
    ],
    ids=str.__len__,
)
def test_what_is_no_token_of_ours_is_not_taken_apart(token: str) -> None:
    assert take_apart(token) is None


def test_a_secret_cannot_be_told_from_its_digest() -> None:
    assert len(bytes.fromhex(digest(SECRET))) == 32
    assert SECRET not in digest(SECRET)
    assert digest(SECRET) != digest(SECRET[:-1])


def test_scopes_of_another_version_are_left_out() -> None:
    assert granted(["read", "teleport", "send"]) == [Scope.SEND, Scope.READ]


def test_a_token_is_good_until_it_ends_or_is_revoked() -> None:
    assert state(None, None, NOON) is State.ACTIVE
    assert state(None, after(1), NOON) is State.ACTIVE
    assert state(None, NOON, NOON) is State.EXPIRED
    assert state(after(-1), NOON, NOON) is State.REVOKED
