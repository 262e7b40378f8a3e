"""What a realtime process allows its clients, and how it says no."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from notify_server.config import Config
from notify_server.domain.rate import Rate


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds, sizes in bytes; `origins` of web pages, with `*` for all.

    `unproved` bounds the connections that have not proved their user yet.
    """

    connections: int
    per_user: int
    unproved: int
    connect_within: float
    events: Rate
    buffer: int
    origins: Sequence[str]


def limits_of(config: Config) -> Limits:
    """Those that are configured."""
    return Limits(
        connections=config.realtime_connections,
        per_user=config.realtime_user_connections,
        unproved=config.realtime_unproved_connections,
        connect_within=config.realtime_connect_timeout,
        events=Rate(config.realtime_event_rate, config.realtime_event_burst),
        buffer=config.realtime_buffer,
        origins=config.realtime_origins,
    )


DEFAULTS = limits_of(Config())


class End(StrEnum):
    """Why this server ends a connection: the reason that the client is told, and the metrics' label."""

    TOO_SLOW = "too slow"
    TOO_MANY_EVENTS = "too many events"
    MALFORMED = "malformed packet"
    NOT_CONNECTED = "not connected in time"
    STOPPING = "server stopping"
    TOKEN_ENDED = "token ended"  # noqa: S105 - the words
    ERASED = "user erased"
    FAILED = "server error"

    @property
    def code(self) -> int:
        """The close code of the WebSocket (RFC 6455, and IANA's registry; from 4000 on: our own)."""
        own = {End.TOKEN_ENDED: 4401, End.ERASED: 4410}
        return ({End.TOO_SLOW: 1013, End.STOPPING: 1012, End.FAILED: 1011} | own).get(self, 1008)

    @property
    def reconnect_in_ms(self) -> int:
        """When the client had better come back."""
        return {End.TOO_SLOW: 1_000, End.STOPPING: 0, End.TOKEN_ENDED: 0, End.FAILED: 5_000}.get(self, 30_000)


class Refusal(StrEnum):
    """Why a connection is refused: the metrics' label."""

    TOKEN = "token"  # noqa: S105 - the word
    USER_FULL = "user"
    PROCESS_FULL = "process"
    UNPROVED = "unproved"
    STOPPING = "stopping"
    TRANSPORT = "transport"


_FULL_RETRY_MS = {Refusal.USER_FULL: 60_000, Refusal.PROCESS_FULL: 5_000}
_FULL = {
    Refusal.USER_FULL: "too many connections of this user: close one, or try again later",
    Refusal.PROCESS_FULL: "too many connections: try again later",
}


def refusal(reason: Refusal) -> tuple[str, dict[str, Any]]:
    """The message and the data of the error that the client's `connect_error` shows."""
    return _FULL[reason], {"reason": "too_many_connections", "retry_in_ms": _FULL_RETRY_MS[reason]}
