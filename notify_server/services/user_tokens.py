"""User tokens: JWTs by which a device proves whose it is (RFC 7519; what is refused follows RFC 8725).

Ours are signed with HS256 and our secret. Those of a foreign issuer are signed with RS256 or ES256, and judged by its
key set. Which keys come into question is decided by the algorithm, and each key knows only one: no public key ever
verifies HS256.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import jwt

from notify_server.domain import identity, text
from notify_server.errors import Conflict, Unauthenticated
from notify_server.services.clock import Clock
from notify_server.services.keys import KeySet

LEEWAY = 30  # seconds by which clocks may differ
MAX_TOKEN = 8190  # characters, as gunicorn bounds a header
MAX_KID = 256  # characters
_LONGEST = 365 * 24 * 3600  # seconds: a timer takes no number of any size
_OURS = "HS256"
_FOREIGN = {"RS256", "ES256"}
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")  # RFC 7515 section 7.1
_REQUIRED = ["exp", "iat", "sub", "aud", "iss"]


@dataclass(frozen=True, slots=True)
class Signing:
    """How our own tokens are signed. `lifetime` in seconds; what `previous` signed is still taken."""

    secret: str
    issuer: str
    audience: str
    lifetime: int
    previous: str = ""


@dataclass(frozen=True, slots=True)
class Foreign:
    """Somebody else who issues user tokens: their keys, and how they name themselves and us."""

    keys: KeySet
    issuer: str
    audience: str


@dataclass(frozen=True, slots=True)
class _Key:
    """What verifies a token of this algorithm, of this issuer, for this audience."""

    material: Any
    algorithm: str
    issuer: str
    audience: str


@dataclass(frozen=True, slots=True)
class Proof:
    """Whose token it is, and for how many seconds it is still taken, leeway included (a year at most)."""

    user: str
    lasts: float


class UserTokens:
    """Mints and checks user tokens. Safe for many threads."""

    def __init__(self, signing: Signing, clock: Clock, foreign: Foreign | None = None) -> None:
        self._signing = signing
        self._clock = clock
        self._foreign = foreign
        self._own = {_kid(secret): self._key(secret) for secret in (signing.secret, signing.previous) if secret}

    def mint(self, user: str) -> tuple[str, datetime]:
        """A token for `user`, and when it ends. Raises Conflict when this server has no secret to sign with."""
        if not self._signing.secret:
            raise Conflict("This server mints no user tokens: NOTIFY_JWT_SECRET is not set.")
        now = self._clock()
        expires_at = now.replace(microsecond=0) + timedelta(seconds=self._signing.lifetime)
        claims = {
            "sub": user,
            "iss": self._signing.issuer,
            "aud": self._signing.audience,
            "iat": now,
            "exp": expires_at,
        }
        headers = {"kid": _kid(self._signing.secret)}
        return jwt.encode(claims, self._signing.secret, _OURS, headers), expires_at

    def authenticate(self, token: str) -> str:
        """The user whose token this is. Raises as `prove` does."""
        return self.prove(token).user

    def prove(self, token: str) -> Proof:
        """The user whose token this is, and for how long.

        Raises Unauthenticated, also when no key is configured, and KeysUnavailable when a foreign issuer's keys are
        needed and none could be had.
        """
        if not self._own and self._foreign is None:
            raise Unauthenticated("User tokens are not configured.")
        claims = self._claims(token)
        user = "" if claims is None else text.nfc(claims["sub"])
        now = self._clock().timestamp()
        if claims is None or not _holds(claims, now) or not identity.is_possible(user):
            raise Unauthenticated("This is not a valid user token.")
        return Proof(user, min(claims["exp"] + LEEWAY, now + _LONGEST) - now)

    def _claims(self, token: str) -> dict[str, Any] | None:
        """What the token says, if a key of ours verifies it; else None."""
        if len(token) > MAX_TOKEN or not _COMPACT.fullmatch(token):
            return None
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, RecursionError):
            return None
        return next((claims for key in self._keys(header) if (claims := _verified(token, key)) is not None), None)

    def _keys(self, header: dict[str, Any]) -> Iterator[_Key]:
        """The keys that come into question: by algorithm and key id alone, whatever else the header offers."""
        kid, algorithm = header.get("kid"), header.get("alg")
        if "crit" in header or not isinstance(algorithm, str) or not (kid is None or _is_kid(kid)):
            return
        if algorithm == _OURS:
            yield from self._own.values() if kid is None else filter(None, [self._own.get(kid)])
        elif self._foreign is not None and kid is not None and algorithm in _FOREIGN:
            found = self._foreign.keys.find(kid, algorithm)
            if found is not None:
                yield _Key(found.key, found.algorithm_name, self._foreign.issuer, self._foreign.audience)

    def _key(self, secret: str) -> _Key:
        return _Key(secret, _OURS, self._signing.issuer, self._signing.audience)


def _verified(token: str, key: _Key) -> dict[str, Any] | None:
    """The token's claims, if `key` signed it for us; times are not judged."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key.material,
            algorithms=[key.algorithm],
            issuer=key.issuer,
            audience=key.audience,
            # The times are judged by our clock; PyJWT knows the machine's alone.
            options={"require": _REQUIRED, "verify_exp": False, "verify_nbf": False, "verify_iat": False},
        )
    except (jwt.PyJWTError, RecursionError):
        return None
    return claims


def _holds(claims: dict[str, Any], now: float) -> bool:
    """Whether it is time for the token: issued and valid by now, not ended yet."""
    issued, begins, ends = (claims.get(name, 0) for name in ("iat", "nbf", "exp"))
    if not all(_is_time(at) for at in (issued, begins, ends)):
        return False
    return bool(max(issued, begins) <= now + LEEWAY and now < ends + LEEWAY)


def _kid(secret: str) -> str:
    """The name of a secret: tells it from another, and nothing of it."""
    return sha256(b"kid:" + secret.encode()).hexdigest()[:16]


def _is_kid(kid: Any) -> bool:
    return isinstance(kid, str) and 1 <= len(kid) <= MAX_KID and kid.isprintable()


def _is_time(value: Any) -> bool:
    """A NumericDate (RFC 7519 section 2)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, int) or math.isfinite(value)
