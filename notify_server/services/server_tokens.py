"""Server tokens: what a backend proves itself with. Made, listed, rotated and revoked; only hashes are stored."""

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from notify_server.domain import server_token
from notify_server.domain.rfc3339 import written
from notify_server.domain.server_token import Client, Scope, State
from notify_server.errors import Conflict, Forbidden, InvalidInput, NotFound
from notify_server.services.clock import Clock
from notify_server.services.token_check import TokenCheck
from notify_server.storage.clients import Clients, Secret
from notify_server.storage.documents import Document

__all__ = ["MAX_NAME", "MAX_OVERLAP", "OVERLAP", "Client", "Expiry", "Scope", "ServerTokens", "State"]

MAX_NAME = 100  # characters
OVERLAP = timedelta(hours=24)  # for which the old secret stays good unless said otherwise
MAX_OVERLAP = timedelta(days=30)

Expiry = datetime | timedelta | None  # a time, so long from now, or never


class ServerTokens:
    """Makes, checks, lists, rotates and revokes server tokens. Safe for many threads."""

    def __init__(self, clients: Clients, clock: Clock) -> None:
        self._clients = clients
        self._clock = clock
        self._check = TokenCheck(clients, clock)

    def create(self, name: str, scopes: Sequence[str], expires: Expiry = None, latest: datetime | None = None) -> str:
        """A new token, shown this once; without `scopes` it has every scope. Raises InvalidInput.

        It must not end after `latest`, which is when the token of who asks does; None: never.
        """
        now = self._clock()
        _check_name(name)
        _check_scopes(scopes)
        expires_at = _end(expires, now)
        _check_end(expires_at, latest)
        client, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        granted = [scope.value for scope in server_token.granted(scopes or list(Scope))]
        self._clients.add(client, name, granted, Secret(server_token.digest(secret), expires_at), now)
        return server_token.compose(client, secret)

    def authenticate(self, token: str) -> Client:
        """The client that holds `token`, as the database said within the last FRESH. Raises Unauthenticated."""
        return self._check.authenticate(token)

    def holder(self, client: str, digest: str) -> Client:
        """The client with this id, as long as the secret with this digest is good now. Raises Unauthenticated."""
        return self._check.holder(client, digest)

    def get(self, client: str) -> Document:
        """One client as `listed` has it. Raises NotFound."""
        return self._shown(self._found(client))

    def listed(self, after: str = "", limit: int = 0) -> list[Document]:
        """Clients in order of id, from after `after`, at most `limit` (0: all), whatever their state.

        Each has _id, prefix, name, scopes, state, created_at, expires_at, rotated_at, revoked_at, used_at and
        previous_until, which is when the secret before the last rotation ends, as long as that is good.
        """
        return [self._shown(client) for client in self._clients.listed(after, limit)]

    def rotate(
        self,
        client: str,
        overlap: timedelta = OVERLAP,
        expires: Expiry = None,
        within: Collection[Scope] = frozenset(Scope),
        latest: datetime | None = None,
    ) -> str:
        """A token with a new secret; the old one stays good for `overlap`, and one that is older yet ends.

        Without `expires` the token ends when it did. Its scopes must be `within` those of who asks, and it must not
        end after `latest`, as with `create`.
        Raises NotFound, InvalidInput, Forbidden, and Conflict when somebody else changes it at the same time.
        """
        found, now = self._found(client), self._clock()
        if self._shown(found)["state"] is not State.ACTIVE:
            raise _not_active(client)
        require_within(found["scopes"], within)
        if not timedelta(0) <= overlap <= MAX_OVERLAP:
            raise InvalidInput({"overlap": [f"Must be between 0 and {MAX_OVERLAP.days} days."]})
        expires_at = found["expires_at"] if expires is None else _end(expires, now)
        _check_end(expires_at, latest)
        until = min(filter(None, (now + overlap, found["expires_at"])))
        secret = secrets.token_urlsafe(32)
        if not self._clients.rotate(found, Secret(server_token.digest(secret), expires_at), until, now):
            raise Conflict(f"The token {client!r} has just been rotated or revoked by somebody else.")
        self._check.forget()
        return server_token.compose(client, secret)

    def revoke(self, client: str) -> None:
        """End a token for good, by its client's id. Raises NotFound."""
        if not self._clients.revoke(client, self._clock()):
            raise _not_active(client)
        self._check.forget()

    def _found(self, client: str) -> Document:
        found = self._clients.find(client)
        if found is None:
            raise _not_active(client)
        return found

    def _shown(self, client: Document) -> Document:
        now, previous = self._clock(), client["previous"]
        overlaps = previous is not None and now < previous["until"]
        shown = {name: value for name, value in client.items() if name not in {"hash", "previous"}}
        return shown | {
            "prefix": server_token.prefix_of(client["_id"]),
            "state": server_token.state(client["revoked_at"], client["expires_at"], now),
            "previous_until": previous["until"] if overlaps else None,
        }


def require_within(scopes: Collection[str], within: Collection[Scope]) -> None:
    """Raises Forbidden when `scopes` are more than those of who asks: nobody hands out what they do not have."""
    if more := sorted(set(scopes) - set(within)):
        raise Forbidden(f"Your token lacks the scope {', '.join(more)}, so it cannot hand it out.")


def _end(expires: Expiry, now: datetime) -> datetime | None:
    end = now + expires if isinstance(expires, timedelta) else expires
    if end is not None and end <= now:
        raise InvalidInput({"expires_at": ["Must lie in the future."]})
    return end


def _check_end(expires_at: datetime | None, latest: datetime | None) -> None:
    if latest is not None and (expires_at is None or expires_at > latest):
        raise InvalidInput({"expires_at": [f"Must be {written(latest)} at the latest: your own token ends then."]})


def _check_name(name: str) -> None:
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable() or not name.strip():
        raise InvalidInput({"name": [f"Must have 1 to {MAX_NAME} characters that can be printed."]})


def _check_scopes(scopes: Sequence[str]) -> None:
    if unknown := sorted(set(scopes) - set(Scope)):
        raise InvalidInput({"scope": [f"Unknown: {', '.join(unknown)}. One of {', '.join(Scope)}."]})


def _not_active(client: str) -> NotFound:
    return NotFound(f"There is no active token {client[:64]!r}.")
