"""The OAuth 2 side: access tokens in exchange for a service account's signed assertion.

Sources: RFC 7523 section 2.1; Google, "Using OAuth 2.0 for Server to Server Applications".
"""

import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import jwt
import orjson

from notify_server.simulator.answers import CREDENTIAL_MISSING, JSON, UNAUTHENTICATED, Answer

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPES = frozenset(
    {"https://www.googleapis.com/auth/firebase.messaging", "https://www.googleapis.com/auth/cloud-platform"}
)
MAX_ASSERTION = 3600  # seconds between iat and exp
LEEWAY = 300  # seconds by which the clocks may differ
_SHORT_LIVED = (
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
    "Check your iat and exp values in the JWT claim."
)


class Tokens:
    """The access tokens handed out and still good. `clock` gives monotonic seconds, `wall` Unix time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._wall = wall
        self._until: dict[str, float] = {}

    def grant(self, form: bytes, lifetime: int) -> Answer:
        """Answer a POST to the token endpoint; a token given out is good for `lifetime` seconds.

        The assertion's form and claims are checked, its signature is not: any service account will do.
        """
        try:
            fields = parse_qs(form.decode(), strict_parsing=True)
        except ValueError:
            return _refused("invalid_request", "Bad Request")
        if fields.get("grant_type") != [GRANT_TYPE]:
            return _refused("unsupported_grant_type", f"Invalid grant_type: {fields.get('grant_type', [''])[0]}")
        refusal = self._objection(fields.get("assertion", [""])[0])
        return refusal or self._issue(lifetime)

    def objection(self, authorization: str | None) -> Answer | None:
        """The 401 that a request with this Authorization header deserves, or None."""
        if authorization is None:
            return CREDENTIAL_MISSING
        until = self._until.get(authorization)
        return None if until is not None and self._clock() < until else UNAUTHENTICATED

    def revoke(self) -> int:
        """Make every token handed out worthless; how many there were."""
        revoked = len(self._until)
        self._until.clear()
        return revoked

    def _issue(self, lifetime: int) -> Answer:
        now = self._clock()
        self._until = {token: until for token, until in self._until.items() if now < until}
        token = f"ya29.{secrets.token_urlsafe(48)}"
        self._until[f"Bearer {token}"] = now + lifetime
        content = {"access_token": token, "expires_in": lifetime, "token_type": "Bearer"}
        return Answer(200, orjson.dumps(content), (JSON, ("cache-control", "private")))

    def _objection(self, assertion: str) -> Answer | None:
        try:
            header = jwt.get_unverified_header(assertion)
            claims = jwt.decode(assertion, options={"verify_signature": False})
        except jwt.InvalidTokenError:
            return _refused("invalid_grant", "Bad Request")
        if header.get("alg") != "RS256":
            return _refused("invalid_grant", "Invalid JWT Signature.")
        if not isinstance(claims.get("iss"), str) or not isinstance(claims.get("aud"), str):
            return _refused("invalid_grant", "Invalid JWT: iss and aud must be strings.")
        if not self._timely(claims):
            return _refused("invalid_grant", _SHORT_LIVED)
        if not SCOPES.intersection(str(claims.get("scope", "")).split()):
            return _refused("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        return None

    def _timely(self, claims: dict[str, Any]) -> bool:
        issued, expires, now = claims.get("iat"), claims.get("exp"), self._wall()
        if not isinstance(issued, int) or not isinstance(expires, int):
            return False
        return issued - LEEWAY <= now < expires + LEEWAY and 0 < expires - issued <= MAX_ASSERTION


def _refused(code: str, description: str) -> Answer:
    return Answer(400, orjson.dumps({"error": code, "error_description": description}))
