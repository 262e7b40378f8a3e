import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import Any

import jwt
import pytest

from notify_server.channels.key_endpoint import fetch
from notify_server.errors import Conflict, KeysUnavailable, Unauthenticated
from notify_server.services.keys import KeySet
from notify_server.services.user_tokens import LEEWAY, MAX_TOKEN, Foreign, Proof, Signing, UserTokens
from tests.builders import NOON, StoppedClock, after
from tests.key_issuer import AUDIENCE, ISSUER, KeyIssuer, KeyPair, claims, key_pair, with_secret

SECRET, PREVIOUS = "a secret that is long enough for HS256", "the secret before, just as long as that"
SIGNING = Signing(SECRET, "notify-server", "app", 3600)
R, E, STRANGER = key_pair("r", "RS256"), key_pair("e", "ES256"), KeyPair("r", "RS256")

Forge = Callable[..., str]


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def tokens(clock: StoppedClock) -> UserTokens:
    return UserTokens(SIGNING, clock)


@pytest.fixture
def issuer() -> Iterator[KeyIssuer]:
    with KeyIssuer(R, E) as running:
        yield running


@pytest.fixture
def both(issuer: KeyIssuer, clock: StoppedClock) -> UserTokens:
    """Takes our own tokens and those of the issuer."""
    return UserTokens(SIGNING, clock, Foreign(KeySet(partial(fetch, issuer.url), clock), ISSUER, AUDIENCE))


def ours(secret: str = SECRET, headers: dict[str, Any] | None = None, **changed: Any) -> str:
    return jwt.encode(claims(**({"now": NOON, "iss": "notify-server"} | changed)), secret, "HS256", headers)


def theirs(key: KeyPair = R, headers: dict[str, Any] | None = None, **changed: Any) -> str:
    return key.sign(headers, **({"now": NOON} | changed))


def signed(header: Any, payload: Any, secret: bytes = SECRET.encode()) -> str:
    """With our secret, if no other is given."""
    return with_secret(header, payload, secret)


def plain(**changed: Any) -> dict[str, Any]:
    """Good claims of ours, in JSON."""
    times = {"iat": NOON.timestamp(), "exp": after(3600).timestamp()}
    return claims(**({"iss": "notify-server", "now": NOON} | times | changed))


def refused(tokens: UserTokens, token: str) -> None:
    with pytest.raises(Unauthenticated, match="not a valid user token"):
        tokens.authenticate(token)


class TestOurOwn:
    def test_a_token_proves_whose_it_is(self, tokens: UserTokens) -> None:
        assert tokens.authenticate(tokens.mint("u1")[0]) == "u1"
        assert tokens.authenticate(tokens.mint("ü 💥")[0]) == "ü 💥"

    def test_a_token_lasts_as_long_as_configured_by_our_clock(self, tokens: UserTokens, clock: StoppedClock) -> None:
        token, expires_at = tokens.mint("u1")
        assert expires_at == after(3600)
        clock.forward(3600 + LEEWAY - 1)
        assert tokens.authenticate(token) == "u1"
        clock.forward(1)
        refused(tokens, token)

    def test_how_long_it_is_still_taken_is_known(self, tokens: UserTokens, clock: StoppedClock) -> None:
        token, _ = tokens.mint("u1")
        assert tokens.prove(token) == Proof("u1", 3600 + LEEWAY)
        clock.forward(3600)
        assert tokens.prove(token).lasts == LEEWAY

    def test_a_token_without_an_end_in_sight_lasts_a_year_at_most(self, tokens: UserTokens) -> None:
        for exp in (10**400, 1e300):
            token = signed({"alg": "HS256"}, plain(exp=exp))
            assert tokens.prove(token).lasts == 365 * 24 * 3600

    def test_what_the_secret_before_signed_is_still_taken(self, clock: StoppedClock) -> None:
        old = UserTokens(replace(SIGNING, secret=PREVIOUS), clock)
        rotated = UserTokens(replace(SIGNING, previous=PREVIOUS), clock)
        assert rotated.authenticate(old.mint("u1")[0]) == "u1"
        assert rotated.authenticate(rotated.mint("u1")[0]) == "u1"
        refused(old, rotated.mint("u1")[0])  # the new one signs
        refused(UserTokens(SIGNING, clock), old.mint("u1")[0])  # rotated out

    def test_the_key_id_tells_the_secrets_apart_and_shows_neither(self, clock: StoppedClock) -> None:
        rotated = UserTokens(replace(SIGNING, previous=PREVIOUS), clock)
        kid = jwt.get_unverified_header(rotated.mint("u1")[0])["kid"]
        other = jwt.get_unverified_header(UserTokens(replace(SIGNING, secret=PREVIOUS), clock).mint("u1")[0])["kid"]
        assert kid != other
        assert kid not in SECRET
        assert kid not in sha256(SECRET.encode()).hexdigest()
        assert rotated.authenticate(ours(headers={"kid": kid})) == "u1"
        refused(rotated, ours(headers={"kid": other}))
        refused(rotated, ours(PREVIOUS, {"kid": kid}))

    def test_a_backend_that_has_the_secret_may_sign_without_a_key_id(self, clock: StoppedClock) -> None:
        rotated = UserTokens(replace(SIGNING, previous=PREVIOUS), clock)
        assert [rotated.authenticate(ours(secret)) for secret in (SECRET, PREVIOUS)] == ["u1", "u1"]

    def test_without_any_key_no_token_is_believed_and_none_is_minted(self, clock: StoppedClock) -> None:
        unset = UserTokens(replace(SIGNING, secret=""), clock)
        for token in (ours(), signed({"alg": "HS256"}, plain(), b""), signed({"alg": "none"}, plain())):
            with pytest.raises(Unauthenticated, match="not configured"):
                unset.authenticate(token)
        with pytest.raises(Conflict, match="NOTIFY_JWT_SECRET"):
            unset.mint("u1")


class TestAForeignIssuer:
    def test_its_tokens_prove_whose_they_are_and_so_do_ours(self, both: UserTokens) -> None:
        assert both.authenticate(theirs(R)) == "u1"
        assert both.authenticate(theirs(E)) == "u1"
        assert both.authenticate(both.mint("u2")[0]) == "u2"

    def test_each_is_judged_as_its_own(self, both: UserTokens) -> None:
        refused(both, theirs(iss="notify-server"))
        refused(both, ours(iss=ISSUER))

    def test_an_audience_among_others_is_ours(self, both: UserTokens) -> None:
        assert both.authenticate(theirs(aud=["other", AUDIENCE])) == "u1"
        refused(both, theirs(aud=["other"]))

    def test_alone_it_leaves_nothing_to_mint_and_nothing_for_hs256(
        self, issuer: KeyIssuer, clock: StoppedClock
    ) -> None:
        keys = KeySet(partial(fetch, issuer.url), clock)
        alone = UserTokens(replace(SIGNING, secret=""), clock, Foreign(keys, ISSUER, AUDIENCE))
        assert alone.authenticate(theirs()) == "u1"
        refused(alone, ours())
        refused(alone, signed({"alg": "HS256"}, plain(), b""))
        with pytest.raises(Conflict):
            alone.mint("u1")

    def test_while_its_keys_cannot_be_had_its_tokens_cannot_be_judged_but_ours_can(
        self, both: UserTokens, issuer: KeyIssuer
    ) -> None:
        issuer.status = 500
        with pytest.raises(KeysUnavailable):
            both.authenticate(theirs())
        assert both.authenticate(ours()) == "u1"
        assert len(issuer.asked) == 1

    def test_a_public_key_never_verifies_hs256(self, both: UserTokens, issuer: KeyIssuer) -> None:
        foreign = plain(iss=ISSUER)
        for key in (R, E):
            for material in (key.pem, key.pem.strip(), json.dumps(key.public).encode(), key.kid.encode()):
                for header in ({"alg": "HS256", "kid": key.kid}, {"alg": "HS256"}):
                    for payload in (foreign, plain()):
                        refused(both, signed(header, payload, material))
        assert issuer.asked == []  # our own keys alone were asked

    def test_a_key_verifies_its_own_algorithm_alone(self, both: UserTokens) -> None:
        for algorithm in ("RS384", "RS512", "PS256"):
            refused(both, jwt.encode(claims(now=NOON), R.private, algorithm, {"kid": "r"}))
        refused(both, theirs(R, {"kid": "e"}))
        refused(both, theirs(E, {"kid": "r"}))
        refused(both, theirs(R, {"kid": None}))

    def test_an_algorithm_that_no_key_of_theirs_has_is_not_worth_a_fetch(
        self, both: UserTokens, issuer: KeyIssuer
    ) -> None:
        for algorithm in ("none", "RS512", "PS256", "EdDSA", "HS512", "rs256", ""):
            refused(both, signed({"alg": algorithm, "kid": "unknown"}, plain()))
        assert issuer.asked == []

    def test_a_key_that_the_token_brings_along_is_ignored(self, both: UserTokens, issuer: KeyIssuer) -> None:
        with KeyIssuer(STRANGER) as attacker:
            for offer in (
                {"jwk": STRANGER.public},
                {"jku": attacker.url},
                {"x5u": attacker.url},
                {"x5c": ["MIIB"], "x5t": "x"},
            ):
                refused(both, theirs(STRANGER, offer))
                assert both.authenticate(theirs(R, offer)) == "u1"
            assert attacker.asked == []

    @pytest.mark.parametrize(
        "kid", ["../../etc/passwd", "/dev/null", "r\0", "\0", "' OR 1=1 --", "https://evil.example/keys", "r" * 5000]
    )
    def test_a_key_id_is_a_name_and_nothing_more(self, both: UserTokens, issuer: KeyIssuer, kid: str) -> None:
        assert both.authenticate(theirs()) == "u1"
        for key in (STRANGER, R):
            refused(both, theirs(key, {"kid": kid}))
        refused(both, signed({"alg": "HS256", "kid": kid}, plain(), b""))
        assert set(issuer.asked) == {"/keys"}


GOOD = {"alg": "HS256", "typ": "JWT"}
FORGED = {
    "empty": "",
    "nonsense": "no.token.atall",
    "two parts": ours().rpartition(".")[0],
    "no signature": ours().rpartition(".")[0] + ".",
    "four parts": ours() + ".x",
    "padded": ours() + "==",
    "with a line end": ours() + "\n",
    "a lone surrogate": ours() + "\ud800",
    "cut": ours()[:-2],
    "huge": ours(more="x" * MAX_TOKEN),
    "alg none": jwt.encode(plain(), None, "none"),
    "alg None": signed({"alg": "None"}, plain()),
    "alg no string": signed({"alg": ["HS256"]}, plain()),
    "alg no string, with a key id": signed({"alg": ["RS256"], "kid": "r"}, plain()),
    "alg an object, with a key id": signed({"alg": {"RS256": 1}, "kid": "r"}, plain()),
    "no alg, with a key id": signed({"kid": "r"}, plain()),
    "no alg": signed({"typ": "JWT"}, plain()),
    "alg HS512": jwt.encode(plain(), SECRET * 2, "HS512"),
    "another secret": ours("another secret that is long enough"),
    "crit": signed(GOOD | {"crit": ["b64"], "b64": True}, plain()),
    "crit unknown": signed(GOOD | {"crit": ["exp"], "exp": 1}, plain()),
    "crit empty": signed(GOOD | {"crit": []}, plain()),
    "payload not encoded": signed(GOOD | {"b64": False, "crit": ["b64"]}, plain()),
    "kid no string": signed(GOOD | {"kid": 1}, plain()),
    "kid empty": signed(GOOD | {"kid": ""}, plain()),
    "kid unknown": ours(headers={"kid": "unknown"}),
    "header no object": signed([GOOD], plain()),
    "header deep": signed(b'{"alg":' + b"[" * 4000, plain()),
    "header long number": signed(b'{"alg":"HS256","n":' + b"9" * 5000 + b"}", plain()),
    "payload no object": signed(GOOD, ["u1"]),
    "payload deep": signed(GOOD, b'{"sub":' + b"[" * 4000),
    "payload no JSON": signed(GOOD, b"\xff"),
    **{f"no {name}": ours(**{name: None}) for name in ("sub", "iss", "aud", "iat", "exp")},
    "another issuer": ours(iss="someone else"),
    "an issuer in a list": signed(GOOD, plain(iss=["notify-server"])),
    "another audience": ours(aud="another app"),
    "no audience": signed(GOOD, plain(aud=[])),
    "audience no string": signed(GOOD, plain(aud={"app": 1})),
    "expired": ours(exp=after(-LEEWAY)),
    "not yet": ours(nbf=after(LEEWAY + 1)),
    "of the future": ours(iat=after(LEEWAY + 1)),
    **{f"exp {exp!r}": signed(GOOD, plain(exp=exp)) for exp in ("9e9", True, [], {}, float("nan"), float("inf"), 0)},
    **{f"iat {iat!r}": signed(GOOD, plain(iat=iat)) for iat in ("0", False, [0], float("nan"), 10**30)},
    **{f"nbf {nbf!r}": signed(GOOD, plain(nbf=nbf)) for nbf in ("0", {}, float("inf"))},
    **{f"sub {sub!r:.9}": signed(GOOD, plain(sub=sub)) for sub in (1, True, ["u1"], {"u1": 1})},
    **{f"sub {sub!a:.9}": signed(GOOD, plain(sub=sub)) for sub in ("", "a/b", "..", "a\0b", "u" * 129, "\ud800")},
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED)
def test_a_token_that_proves_nothing_is_refused(both: UserTokens, tokens: UserTokens, token: str) -> None:
    for judge in (both, tokens):
        refused(judge, token)


def test_a_forged_token_is_good_but_for_what_was_changed(both: UserTokens) -> None:
    good = (
        *(ours(), signed(GOOD, plain()), ours(nbf=after(LEEWAY)), ours(iat=after(LEEWAY))),
        *(ours(exp=after(1 - LEEWAY)), ours(nbf=NOON - timedelta(days=1), jti="1"), signed(GOOD, plain(exp=9e9))),
        ours(more="x" * 5000),
    )
    assert {both.authenticate(token) for token in good} == {"u1"}
