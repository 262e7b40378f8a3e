"""Checking server tokens: who holds one, as the database said a moment ago."""

import hmac
from datetime import datetime

from notify_server.domain import server_token
from notify_server.domain.server_token import Client
from notify_server.errors import Unauthenticated
from notify_server.services.clock import Clock
from notify_server.services.token_memory import TokenMemory
from notify_server.storage.clients import Clients
from notify_server.storage.documents import Document

_NOBODYS = "0" * 64  # what the secret of an unknown client is compared with: refusing it takes as long as any other


class TokenCheck:
    """Says who holds a token. Safe for many threads."""

    def __init__(self, clients: Clients, clock: Clock) -> None:
        self._clients = clients
        self._clock = clock
        self._memory = TokenMemory[Client]()

    def authenticate(self, token: str) -> Client:
        """The client that holds `token`, as the database said within the last FRESH. Raises Unauthenticated."""
        parts = server_token.take_apart(token)
        if parts is None:
            raise _refused()
        digest, now = server_token.digest(token), self._clock()
        client = self._memory.recall(digest, now)
        if client is None:
            client, until = self._look_up(parts[0], server_token.digest(parts[1]), now)
            self._memory.remember(digest, client, until, now)
        self._note(client, now)
        return client

    def holder(self, client: str, digest: str) -> Client:
        """The client with this id, as long as the secret with this digest is good. Raises Unauthenticated."""
        now = self._clock()
        found, _ = self._look_up(client, digest, now)
        self._note(found, now)
        return found

    def forget(self) -> None:
        """Ask the database about every token again: one was changed here."""
        self._memory.forget()

    def _note(self, client: Client, now: datetime) -> None:
        if self._memory.is_to_note(client.id, now):
            self._clients.used(client.id, now)

    def _look_up(self, client: str, digest: str, now: datetime) -> tuple[Client, datetime | None]:
        """The client with this secret, and when the secret ends. Only who has the secret is told why it is refused."""
        found = self._clients.find(client)
        current, previous = _hashes(found)
        is_current, is_previous = hmac.compare_digest(current, digest), hmac.compare_digest(previous, digest)
        if found is None or not (is_current or is_previous):
            raise _refused()
        if found["revoked_at"] is not None:
            raise Unauthenticated("This server token was revoked.")
        until = found["expires_at"] if is_current else found["previous"]["until"]
        if until is not None and now >= until:
            end = "has expired" if is_current else "was replaced by a newer one"
            raise Unauthenticated(f"This server token {end}.")
        return Client(client, found["name"], frozenset(server_token.granted(found["scopes"])), until), until


def _hashes(client: Document | None) -> tuple[str, str]:
    """The hashes of the current and of the previous secret; nobody's where there is none."""
    current = client["hash"] if client else _NOBODYS
    return current, client["previous"]["hash"] if client and client["previous"] else _NOBODYS


def _refused() -> Unauthenticated:
    return Unauthenticated("This is not a valid server token.")
