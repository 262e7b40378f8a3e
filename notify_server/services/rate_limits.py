"""How often a server token, a user and an address without a good token may call.

Each web process holds its part of a rate, in memory: sharing it exactly would cost a database write a request.
"""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from math import ceil
from threading import Lock
from time import monotonic

from notify_server.config import Config
from notify_server.domain.rate import Rate

KEPT = 100_000  # callers remembered by a process; of more, the one that called longest ago begins anew
_NETWORK = 64  # bits: what one IPv6 customer has (RFC 6177), so one of its addresses more is nobody else
_SERVER_BURST = 1  # seconds' worth of calls that may come at once
_USER_BURST = 3
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a call may go on; else it may in `retry_after` seconds. The rest is for the RateLimit headers."""

    allowed: bool
    retry_after: int
    policy: str
    limit: str


class RateLimit:
    """One rate, for each of many callers. Safe for many threads."""

    def __init__(self, name: str, rate: Rate, clock: Callable[[], float] = monotonic, kept: int = KEPT) -> None:
        self._name = name
        self._rate = rate
        self._clock = clock
        self._kept = kept
        self._full_at: dict[str, float] = {}  # by caller, the last to call last
        self._lock = Lock()
        self._policy = f'"{name}";q={rate.burst};w={rate.window}'

    def take(self, caller: str) -> Verdict:
        """Count one call of `caller`, unless it is one too many."""
        now = self._clock()
        with self._lock:
            standing = self._rate.take(self._full_at.pop(caller, now), now)
            self._full_at[caller] = standing.full_at
            if len(self._full_at) > self._kept:
                del self._full_at[next(iter(self._full_at))]
        limit = f'"{self._name}";r={standing.left};t={ceil(standing.reset)}'
        return Verdict(standing.allowed, max(1, ceil(standing.wait)), self._policy, limit)


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Each None where it is turned off."""

    server: RateLimit | None
    user: RateLimit | None
    address: RateLimit | None


def build_limits(config: Config, clock: Callable[[], float] = monotonic) -> RateLimits:
    """The part of one web process; `clock` in seconds, never going back."""

    def limit(name: str, per_second: float, seconds: float) -> RateLimit | None:
        rate = Rate(per_second, max(1, round(per_second * seconds)))
        return RateLimit(name, rate.part(config.web_processes), clock) if per_second else None

    return RateLimits(
        server=limit("server", config.rate_server, _SERVER_BURST),
        user=limit("user", config.rate_user, _USER_BURST),
        address=limit("address", config.rate_refused / _MINUTE, _MINUTE),
    )


def network(address: str) -> str:
    """Whom an address stands for: itself, or with IPv6 its /64."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{int(parsed) >> (128 - _NETWORK):x}"
