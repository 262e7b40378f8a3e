"""What a process remembers of server tokens, so that not every request has to ask the database."""

from datetime import datetime, timedelta
from threading import Lock
from typing import Generic, TypeVar

FRESH = timedelta(seconds=2)  # how long a process takes a token for good without looking: revoking acts within this
NOTED = timedelta(minutes=1)  # how often a process notes that a token was used
KEPT = 1024  # tokens remembered by a process

Holder = TypeVar("Holder")
_Value = TypeVar("_Value")


class TokenMemory(Generic[Holder]):
    """The holders of tokens that were found good within the last FRESH. Safe for many threads."""

    def __init__(self) -> None:
        self._proven: dict[str, tuple[Holder, datetime | None, datetime]] = {}  # by digest of the token, oldest first
        self._noted: dict[str, datetime] = {}  # by client, oldest first
        self._lock = Lock()

    def recall(self, digest: str, now: datetime) -> Holder | None:
        """Who holds this token, if the database said so within the last FRESH, and the token has not ended since."""
        with self._lock:
            holder, until, asked_at = self._proven.get(digest, (None, None, now))
        ended = until is not None and now >= until
        return None if ended or not timedelta(0) <= now - asked_at < FRESH else holder

    def remember(self, digest: str, holder: Holder, until: datetime | None, now: datetime) -> None:
        """Keep what the database has just said: who holds this token, and when it ends, if ever."""
        with self._lock:
            _put(self._proven, digest, (holder, until, now))

    def forget(self) -> None:
        """Ask the database about every token again."""
        with self._lock:
            self._proven.clear()

    def is_to_note(self, client: str, now: datetime) -> bool:
        """Whether to note that this client's token is used: True once in NOTED."""
        with self._lock:
            noted_at = self._noted.get(client)
            if noted_at is not None and timedelta(0) <= now - noted_at < NOTED:
                return False
            _put(self._noted, client, now)
            return True


def _put(kept: dict[str, _Value], key: str, value: _Value) -> None:
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > KEPT:
        del kept[next(iter(kept))]
