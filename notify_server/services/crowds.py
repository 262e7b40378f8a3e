"""Whether a worker is sending to large audiences by push."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from notify_server.services.load import Load


class Crowds:
    """Counts the loads of large audiences that are being seen through. Safe for many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._loads = 0

    def __bool__(self) -> bool:
        """Whether there is one at this moment."""
        return self._loads > 0

    @contextmanager
    def counting(self, load: Load) -> Iterator[None]:
        """Count `load` meanwhile, if it is of a large audience."""
        large = any(not page.batch.rank.small for page in load)
        with self._lock:
            self._loads += large
        try:
            yield
        finally:
            with self._lock:
                self._loads -= large
