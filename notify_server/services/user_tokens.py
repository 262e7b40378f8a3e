"""User tokens: JWTs by which a device proves whose it is (RFC 7519, signed with HS256)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt

from notify_server.errors import ConfigurationError, Unauthenticated
from notify_server.services.clock import Clock

_ALGORITHM = "HS256"
_LEEWAY = 30  # seconds by which clocks may differ


@dataclass(frozen=True, slots=True)
class Signing:
    """How tokens are signed. `lifetime` in seconds."""

    secret: str
    issuer: str
    audience: str
    lifetime: int


class UserTokens:
    """Mints and checks user tokens."""

    def __init__(self, signing: Signing, clock: Clock) -> None:
        self._signing = signing
        self._clock = clock

    def mint(self, user: str) -> tuple[str, datetime]:
        """A token for `user`, and when it ends. Raises ConfigurationError when no key is configured."""
        if not self._signing.secret:
            raise ConfigurationError(["NOTIFY_JWT_SECRET: needed for user tokens."])
        now = self._clock()
        expires_at = now.replace(microsecond=0) + timedelta(seconds=self._signing.lifetime)
        claims = {
            "sub": user,
            "iss": self._signing.issuer,
            "aud": self._signing.audience,
            "iat": now,
            "exp": expires_at,
        }
        return jwt.encode(claims, self._signing.secret, _ALGORITHM), expires_at

    def authenticate(self, token: str) -> str:
        """The user whose token this is. Raises Unauthenticated, also when no secret is configured."""
        if not self._signing.secret:
            raise Unauthenticated("User tokens are not configured.")
        try:
            claims = jwt.decode(
                token,
                self._signing.secret,
                algorithms=[_ALGORITHM],
                issuer=self._signing.issuer,
                audience=self._signing.audience,
                leeway=_LEEWAY,
                options={"require": ["exp", "iat", "sub", "aud", "iss"]},
            )
        except jwt.InvalidTokenError:
            raise Unauthenticated("This is not a valid user token.") from None
        return str(claims["sub"])
