"""The public keys of a foreign issuer of user tokens, as its JSON Web Key Set has them (RFC 7517)."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from threading import Event, Lock, Thread
from typing import Any

import jwt
import structlog
from jwt import PyJWK

from notify_server.channels.key_endpoint import WITHIN
from notify_server.errors import KeysUnavailable
from notify_server.services.clock import Clock

log = structlog.get_logger()

FRESH = timedelta(minutes=5)  # then the keys are fetched again, while requests go on with those there are
STALE = timedelta(minutes=10)  # then a request waits for the fetch, so that a withdrawn key is not taken for long
KEPT = timedelta(hours=24)  # how long keys are taken while the endpoint is down
AGAIN = timedelta(seconds=30)  # between two fetches at least, however many unknown keys are named
AGAIN_WITHOUT = timedelta(seconds=5)  # the same while there are no keys at all
MIN_RSA_BITS = 2048  # RFC 7518 section 3.3
_CURVES = {"RS256": None, "ES256": "P-256"}  # by algorithm: each key type signs with one of them here
_TYPES = {"RSA": "RS256", "EC": "ES256"}

Keys = Mapping[tuple[str, str], PyJWK]  # by key id and algorithm


class KeySet:
    """The keys behind `fetch`, which returns the set as JSON or raises KeysUnavailable. Safe for many threads.

    A request waits for one fetch at most, and for no longer than key_endpoint.WITHIN.
    """

    def __init__(self, fetch: Callable[[], Any], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = Lock()
        self._keys: Keys = {}
        self._fetched_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._running: Event | None = None  # ends with the fetch under way

    def find(self, kid: str, algorithm: str) -> PyJWK | None:
        """The key of that id for that algorithm. Raises KeysUnavailable when there are none at all."""
        found = self._known().get((kid, algorithm))
        running = self._refresh(missed=found is None)
        if running is not None:
            running.wait(WITHIN)
            found = self._known().get((kid, algorithm))
        if found is None and not self._known():
            raise KeysUnavailable("The keys of user tokens cannot be fetched at the moment.")
        return found

    def _known(self) -> Keys:
        return self._keys if self._age() < KEPT else {}

    def _age(self) -> timedelta:
        return timedelta.max if self._fetched_at is None else self._clock() - self._fetched_at

    def _refresh(self, *, missed: bool) -> Event | None:
        """Fetch the keys if they are old, or one was `missed`; returns what to wait for, if it is to be waited for."""
        with self._lock:
            waits = missed or self._age() >= STALE
            if self._running is None and (waits or self._age() >= FRESH) and self._may_try():
                self._tried_at, self._running = self._clock(), Event()
                Thread(target=self._run, args=(self._running,), name="keys", daemon=True).start()
            return self._running if waits else None

    def _may_try(self) -> bool:
        pause = AGAIN if self._keys else AGAIN_WITHOUT
        return self._tried_at is None or not timedelta(0) <= self._clock() - self._tried_at < pause

    def _run(self, running: Event) -> None:
        try:
            self._keys, self._fetched_at = usable(self._fetch()), self._clock()
        except KeysUnavailable as error:
            log.warning("user token keys not fetched", problem=str(error), kept=len(self._keys))
        finally:
            with self._lock:
                self._running = None
            running.set()


def usable(found: Any) -> Keys:
    """The keys in a key set that may verify a signature here; others are left out. Raises KeysUnavailable if none may.

    Each is bound to the one algorithm of its type, whatever a token says of it.
    """
    listed = found.get("keys") if isinstance(found, dict) else None
    keys = {}
    for data in listed if isinstance(listed, list) else []:
        algorithm = _algorithm(data)
        if algorithm is not None:
            try:
                key = PyJWK(data, algorithm)
            except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
                continue  # malformed
            if getattr(key.key, "key_size", 0) >= (MIN_RSA_BITS if algorithm == "RS256" else 0):
                keys[data["kid"], algorithm] = key
    if not keys:
        raise KeysUnavailable("The key set holds no key that can be used (RS256 or ES256, with a kid).")
    return keys


def _algorithm(data: Any) -> str | None:
    """The algorithm of a public signing key; None when it is no such thing, or of another algorithm."""
    if not isinstance(data, dict) or not isinstance(data.get("kid"), str) or "d" in data:
        return None
    kind = data.get("kty")
    algorithm = _TYPES.get(kind) if isinstance(kind, str) else None
    if algorithm is None or data.get("alg", algorithm) != algorithm or data.get("crv") != _CURVES[algorithm]:
        return None
    operations = data.get("key_ops", ["verify"])
    signs = data.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations
    return algorithm if signs else None
