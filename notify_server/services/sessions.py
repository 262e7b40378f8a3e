"""Sessions of the console: begun with a server token of the scope `admin`, and over as soon as that token is."""

import secrets
from datetime import timedelta

from notify_server.domain import server_token
from notify_server.domain.server_token import Client, Scope
from notify_server.errors import Forbidden, Unauthenticated
from notify_server.services.clock import Clock
from notify_server.services.server_tokens import ServerTokens
from notify_server.storage import sessions
from notify_server.storage.sessions import Session

IDLE = timedelta(minutes=30)  # without a request, a session ends
LONGEST = timedelta(hours=8)  # it ends however busy it is
_NOTED = timedelta(minutes=1)  # a session is extended no more often than this


class Sessions:
    """Begins, checks and ends sessions. Safe for many threads; no process remembers any."""

    def __init__(self, stored: sessions.Sessions, tokens: ServerTokens, clock: Clock) -> None:
        self._stored = stored
        self._tokens = tokens
        self._clock = clock

    def admit(self, token: str) -> Client:
        """Who holds `token`. Raises Unauthenticated, and Forbidden where the token lacks the scope `admin`."""
        client = self._tokens.authenticate(token)
        _require_admin(client)
        return client

    def begin(self, client: Client, token: str) -> str:
        """A new session of a client who was admitted with `token`: its secret, which is not stored."""
        parts, secret, now = server_token.take_apart(token), secrets.token_urlsafe(32), self._clock()
        proof = server_token.digest(parts[1] if parts else "")
        self._stored.add(Session(server_token.digest(secret), client.id, proof, now, now + IDLE))
        return secret

    def holder(self, secret: str, *, used: bool = True) -> Client:
        """Whose session it is, as the database says now; `used`: it lasts for another IDLE from now.

        Raises Unauthenticated where it has ended, or its token was revoked, replaced or has expired, and Forbidden.
        """
        now = self._clock()
        found = self._stored.find(server_token.digest(secret), now)
        if found is None or now >= found.began_at + LONGEST:
            raise Unauthenticated("Your session has ended. Please sign in again.")
        client = self._tokens.holder(found.client, found.proof)
        _require_admin(client)
        until = min(now + IDLE, found.began_at + LONGEST)
        if used and until - found.ends_at >= _NOTED:
            self._stored.extend(found.digest, until)
        return client

    def end(self, secret: str) -> None:
        """Sign out; a session that has ended stays so."""
        self._stored.end(server_token.digest(secret))


def _require_admin(client: Client) -> None:
    if Scope.ADMIN not in client.scopes:
        raise Forbidden("This token lacks the scope admin, which the console asks for.")
