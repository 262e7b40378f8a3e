"""Server tokens: what a backend proves itself with. 256 random bits, of which only a hash is stored."""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from threading import Lock

from notify_server.errors import InvalidInput, NotFound, Unauthenticated
from notify_server.services.clock import Clock
from notify_server.storage.clients import Clients
from notify_server.storage.documents import Document

PREFIX = "nst"  # marks a leaked token as ours
FRESH = timedelta(seconds=2)  # how long a process takes a token for good without looking: revoking acts within this
KEPT = 1024  # tokens remembered by a process


class Scope(StrEnum):
    """What a server token may do."""

    SEND = "send"
    USERS = "users"
    READ = "read"
    STATISTICS = "statistics"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Client:
    """The holder of a server token."""

    id: str
    name: str
    scopes: frozenset[Scope]


class ServerTokens:
    """Makes, checks, lists and revokes server tokens. Safe for many threads."""

    def __init__(self, clients: Clients, clock: Clock) -> None:
        self._clients = clients
        self._clock = clock
        self._known: dict[str, tuple[Client, datetime]] = {}  # by digest of the token, oldest first
        self._lock = Lock()

    def create(self, name: str, scopes: Sequence[str]) -> str:
        """A new token, shown this once; without `scopes` it has every scope. Raises InvalidInput."""
        unknown = sorted(set(scopes) - set(Scope))
        if unknown:
            raise InvalidInput({"scope": [f"Unknown: {', '.join(unknown)}. One of {', '.join(Scope)}."]})
        client, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        granted = [scope.value for scope in Scope if not scopes or scope in scopes]
        self._clients.add(client, name, _digest(secret), granted, self._clock())
        return f"{PREFIX}_{client}_{secret}"

    def authenticate(self, token: str) -> Client:
        """The client that holds `token`, as the database said within the last FRESH. Raises Unauthenticated."""
        digest, now = _digest(token), self._clock()
        with self._lock:
            client, asked_at = self._known.get(digest, (None, now))
        if client is None or not timedelta(0) <= now - asked_at < FRESH:
            client = self._look_up(token)
            self._remember(digest, client, now)
        return client

    def _look_up(self, token: str) -> Client:
        prefix, _, rest = token.partition("_")
        client, _, secret = rest.partition("_")
        found = self._clients.active(client) if prefix == PREFIX else None
        if found is None or not hmac.compare_digest(found["hash"], _digest(secret)):
            raise Unauthenticated("This is not a valid server token.")
        return Client(found["_id"], found["name"], frozenset(scope for scope in Scope if scope in found["scopes"]))

    def _remember(self, digest: str, client: Client, now: datetime) -> None:
        with self._lock:
            self._known.pop(digest, None)
            self._known[digest] = client, now
            if len(self._known) > KEPT:
                del self._known[next(iter(self._known))]

    def listed(self) -> list[Document]:
        """Every client: id, name, scopes, created_at, revoked_at."""
        return self._clients.listed()

    def revoke(self, client: str) -> None:
        """End a token for good, by its client's id. Raises NotFound."""
        if not self._clients.revoke(client, self._clock()):
            raise NotFound(f"There is no active token {client!r}.")
        with self._lock:
            self._known.clear()


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
