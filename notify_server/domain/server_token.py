"""A server token: `nst_<id of its client>_<secret>`, where the secret is 256 random bits in base64url."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

PREFIX = "nst"  # marks a leaked token as ours
_TOKEN = re.compile(PREFIX + r"_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


class Scope(StrEnum):
    """What a server token may do."""

    SEND = "send"
    USERS = "users"
    READ = "read"
    STATISTICS = "statistics"
    ADMIN = "admin"


class State(StrEnum):
    """Whether a server token is good, and why not."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Client:
    """The holder of a server token. `ends_at` is when the secret ends that they came with; None: never."""

    id: str
    name: str
    scopes: frozenset[Scope]
    ends_at: datetime | None = field(default=None, compare=False)


def prefix_of(client: str) -> str:
    """What may be shown of a client's token: enough to find it where it leaked."""
    return f"{PREFIX}_{client}"


def compose(client: str, secret: str) -> str:
    """The token that holds this secret."""
    return f"{prefix_of(client)}_{secret}"


def take_apart(token: str) -> tuple[str, str] | None:
    """The client's id and the secret; None when it is no token of ours."""
    parts = _TOKEN.fullmatch(token)
    return (parts[1], parts[2]) if parts else None


def client_of(token: str) -> str:
    """The client's id in a token that we have made."""
    return token.split("_")[1]


def digest(secret: str) -> str:
    """What is stored of a secret: its SHA-256 in hexadecimal.

    A fast hash will do for 256 random bits, which nobody guesses. A slow one is for what people make up, and would
    cost every request.
    """
    return sha256(secret.encode()).hexdigest()


def granted(scopes: Collection[str]) -> list[Scope]:
    """Those of `scopes` that this version knows, in order."""
    return [scope for scope in Scope if scope in scopes]


def state(revoked_at: datetime | None, expires_at: datetime | None, now: datetime) -> State:
    """What a token is at `now`."""
    if revoked_at is not None:
        return State.REVOKED
    return State.ACTIVE if expires_at is None or now < expires_at else State.EXPIRED
