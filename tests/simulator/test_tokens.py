import json
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest

from notify_server.simulator.answers import CREDENTIAL_MISSING, UNAUTHENTICATED
from notify_server.simulator.service_account import service_account
from notify_server.simulator.tokens import GRANT_TYPE, Tokens
from tests.simulator.conftest import Clock

ACCOUNT = service_account("p", "https://localhost:1/token")
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
NOW = 1_790_000_000


@pytest.fixture
def tokens(clock: Clock) -> Tokens:
    return Tokens(clock, Clock(NOW))


def _form(algorithm: str = "RS256", grant_type: str = GRANT_TYPE, **changes: Any) -> bytes:
    claims = {"iss": "me", "aud": "https://localhost:1/token", "iat": NOW, "exp": NOW + 3600, "scope": SCOPE}
    claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    key = ACCOUNT["private_key"] if algorithm == "RS256" else "x" * 32
    return urlencode({"grant_type": grant_type, "assertion": jwt.encode(claims, key, algorithm)}).encode()


def test_a_good_assertion_gets_a_token_for_its_lifetime(tokens: Tokens, clock: Clock) -> None:
    answer = tokens.grant(_form(), 100)
    content = json.loads(answer.body)
    assert (answer.status, content["expires_in"], content["token_type"]) == (200, 100, "Bearer")
    header = f"Bearer {content['access_token']}"
    assert tokens.objection(header) is None
    clock.now += 99.9
    assert tokens.objection(header) is None
    clock.now += 0.1
    assert tokens.objection(header) == UNAUTHENTICATED


def test_several_tokens_are_good_at_once_until_they_are_revoked(tokens: Tokens) -> None:
    headers = [f"Bearer {json.loads(tokens.grant(_form(), 100).body)['access_token']}" for _ in range(2)]
    assert headers[0] != headers[1]
    assert [tokens.objection(header) for header in headers] == [None, None]
    assert tokens.revoke() == 2
    assert [tokens.objection(header) for header in headers] == [UNAUTHENTICATED] * 2


def test_a_missing_credential_is_told_apart_from_a_bad_one(tokens: Tokens) -> None:
    assert tokens.objection(None) is CREDENTIAL_MISSING
    assert tokens.objection("Bearer x") is UNAUTHENTICATED


def test_the_broader_scope_will_do_and_so_will_one_of_several(tokens: Tokens) -> None:
    for scope in ("https://www.googleapis.com/auth/cloud-platform", f"openid {SCOPE}"):
        assert tokens.grant(_form(scope=scope), 100).status == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        (b"", "unsupported_grant_type"),
        (b"grant_type", "invalid_request"),
        (b"\xff", "invalid_request"),
        (_form(grant_type="password"), "unsupported_grant_type"),
        (urlencode({"grant_type": GRANT_TYPE}).encode(), "invalid_grant"),
        (urlencode({"grant_type": GRANT_TYPE, "assertion": "a.b.c"}).encode(), "invalid_grant"),
        (_form("HS256"), "invalid_grant"),
        (_form(exp=NOW - 301, iat=NOW - 3000), "invalid_grant"),
        (_form(iat=NOW + 301), "invalid_grant"),
        (_form(exp=NOW + 3601), "invalid_grant"),
        (_form(exp=None), "invalid_grant"),
        (_form(iss=None), "invalid_grant"),
        (_form(aud=None), "invalid_grant"),
        (_form(scope="openid"), "invalid_scope"),
        (_form(scope=None), "invalid_scope"),
    ],
)
def test_a_bad_request_is_refused_as_oauth_says(tokens: Tokens, form: bytes, error: str) -> None:
    answer = tokens.grant(form, 100)
    assert (answer.status, json.loads(answer.body)["error"]) == (400, error)
