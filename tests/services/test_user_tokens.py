from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from notify_server.errors import ConfigurationError, Unauthenticated
from notify_server.services.clock import utc_now
from notify_server.services.user_tokens import Signing, UserTokens
from tests.builders import StoppedClock, after

SECRET = "a secret that is long enough for HS256"
SIGNING = Signing(SECRET, "notify-server", "app", 3600)


@pytest.fixture
def tokens() -> UserTokens:
    return UserTokens(SIGNING, utc_now)


def forged(secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    now = datetime.now(UTC)
    good = {"sub": "u1", "iss": "notify-server", "aud": "app", "iat": now, "exp": now + timedelta(hours=1)}
    made = {name: value for name, value in (good | claims).items() if value is not None}
    return jwt.encode(made, secret, algorithm)


def test_a_token_proves_whose_it_is(tokens: UserTokens) -> None:
    assert tokens.authenticate(tokens.mint("u1")[0]) == "u1"
    assert tokens.authenticate(tokens.mint("ü 💥")[0]) == "ü 💥"


def test_a_token_lasts_as_long_as_configured() -> None:
    token, expires_at = UserTokens(SIGNING, StoppedClock()).mint("u1")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert expires_at == after(3600)
    assert claims["exp"] - claims["iat"] == 3600


def test_a_token_that_has_ended_proves_nothing(tokens: UserTokens) -> None:
    clock = StoppedClock(utc_now())
    clock.forward(-3600 - 31)
    with pytest.raises(Unauthenticated):
        tokens.authenticate(UserTokens(SIGNING, clock).mint("u1")[0])


def test_clocks_may_differ_a_little(tokens: UserTokens) -> None:
    for seconds in (-3600 - 20, 20):
        clock = StoppedClock(utc_now())
        clock.forward(seconds)
        assert tokens.authenticate(UserTokens(SIGNING, clock).mint("u1")[0]) == "u1"


@pytest.mark.parametrize(
    "token",
    [
        "",
        "no.token.atall",
        forged("another secret that is long enough"),
        forged(iss="someone else"),
        forged(aud="another app"),
        forged(sub=None),
        forged(exp=None),
        forged(iat=None),
        forged(aud=None),
        forged(iss=None),
        forged(algorithm="HS512", secret=SECRET * 2),
        forged(iat=datetime.now(UTC) + timedelta(hours=1)),
        jwt.encode({"sub": "u1"}, "", "none"),
    ],
    ids=[
        "empty",
        "nonsense",
        "secret",
        "issuer",
        "audience",
        "sub",
        "exp",
        "iat",
        "aud",
        "iss",
        "HS512",
        "early",
        "none",
    ],
)
def test_a_token_that_we_did_not_mint_proves_nothing(tokens: UserTokens, token: str) -> None:
    with pytest.raises(Unauthenticated):
        tokens.authenticate(token)


def test_a_forged_token_is_good_but_for_what_was_changed(tokens: UserTokens) -> None:
    assert tokens.authenticate(forged()) == "u1"


def test_without_a_secret_no_token_proves_anything() -> None:
    unconfigured = UserTokens(Signing("", "notify-server", "app", 3600), utc_now)
    with pytest.raises(Unauthenticated, match="not configured"):
        unconfigured.authenticate(forged())


def test_without_a_key_none_is_minted_and_none_is_believed() -> None:
    unset = UserTokens(Signing("", "notify-server", "app", 3600), utc_now)
    with pytest.raises(ConfigurationError, match="NOTIFY_JWT_SECRET"):
        unset.mint("u1")
    with pytest.raises(Unauthenticated):
        unset.authenticate(forged())
