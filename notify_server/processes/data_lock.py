"""One `up` at a time on a data directory."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from notify_server.errors import ConfigurationError


@contextlib.contextmanager
def alone(data_dir: Path) -> Iterator[None]:
    """Hold the lock of the data directory; the kernel gives it back however this process ends.

    Raises ConfigurationError when another process holds it.
    """
    with open(data_dir / "up.lock", "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip()
            raise ConfigurationError(
                [f"NOTIFY_DATA_DIR: another `notify-server up` (process {holder}) already runs on {data_dir}."]
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield
