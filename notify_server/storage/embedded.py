"""The embedded database: a real mongod as a one-member replica set in the data directory."""

import contextlib
import json
import socket
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from notify_server.config import Config
from notify_server.errors import NoEmbeddedDatabase
from notify_server.storage import mongod, replica_set
from notify_server.storage.database import uri_file

READY_WITHIN = 300.0  # seconds: after a crash, mongod first replays its journal
STOP_WITHIN = 60.0  # seconds: a clean stop writes a checkpoint
_LOG_SIZE = 16 * 1024 * 1024  # bytes: a longer log is set aside at the next start, and replaces the one before


class EmbeddedDatabase:
    """One data directory's mongod.

    `start` and `stop` run it as a child of this process. Whoever supervises it otherwise runs what `prepare`
    returns, then calls `await_ready`, and `withdraw` before the stop.
    """

    def __init__(self, config: Config, cache: float | None = None, binaries: Iterable[Path] | None = None) -> None:
        """`cache` is WiredTiger's, in GiB; `binaries` are the candidates in place of the usual ones."""
        self._directory = config.data_dir.absolute() / "mongodb"
        self._uri_file = uri_file(config)
        self._cache = mongod.cache_size() if cache is None else cache
        self._binaries = binaries
        self._port_file = self._directory / "port"
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """mongod's own log."""
        return self._directory / "mongod.log"

    @property
    def pid(self) -> int | None:
        """The process id of the child that `start` started."""
        return self._process.pid if self._process else None

    @property
    def uri(self) -> str:
        """Where it is found, once `prepare` has chosen the port."""
        return f"mongodb://127.0.0.1:{self._port}/?replicaSet={mongod.REPLICA_SET}"

    def prepare(self) -> list[str]:
        """Make directories, choose the port, set a long log aside; return mongod's command line.

        Raises NoEmbeddedDatabase when no binary runs on this platform.
        """
        binary = mongod.find(mongod.candidates() if self._binaries is None else self._binaries)
        data = self._directory / "data"
        data.mkdir(parents=True, exist_ok=True)
        self._directory.chmod(0o700)
        if self.log.exists() and self.log.stat().st_size > _LOG_SIZE:
            self.log.replace(self.log.with_suffix(".log.1"))
        self._port = self._choose_port()
        return mongod.command(binary, data, self.log, self._port, self._cache)

    def await_ready(self, alive: Callable[[], bool]) -> str:
        """Wait until the server accepts writes; leave its URI in the run directory, and return it.

        Raises NoEmbeddedDatabase when `alive` says that it ended instead, DatabaseUnavailable when it takes too long.
        """
        if not replica_set.await_primary(mongod.REPLICA_SET, self._port, alive, READY_WITHIN):
            raise NoEmbeddedDatabase(f"mongod ended before it was ready: {self._last_words()}. {mongod.WAY_OUT}")
        _replace(self._port_file, f"{self._port}\n")
        _replace(self._uri_file, f"{self.uri}\n")
        return self.uri

    def withdraw(self) -> None:
        """Take the URI back: from now on nobody new finds this database."""
        self._uri_file.unlink(missing_ok=True)

    def start(self) -> str:
        """Run mongod as a child in a process group of its own; return its URI when it accepts writes.

        Raises as `prepare` and `await_ready` do.
        """
        quiet = subprocess.DEVNULL
        child = subprocess.Popen(self.prepare(), stdin=quiet, stdout=quiet, stderr=quiet, process_group=0)  # noqa: S603
        self._process = child
        try:
            return self.await_ready(lambda: child.poll() is None)
        except BaseException:
            self._end()
            raise

    def stop(self) -> None:
        """Stop the child cleanly, or, if a minute is not enough, at once. Does nothing when none runs."""
        if self._process is not None:
            self.withdraw()
            self._end()

    def _end(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _choose_port(self) -> int:
        """The port of the last start, unless it was never chosen or somebody else has taken it."""
        with contextlib.suppress(ValueError, OSError):
            return _bindable(int(self._port_file.read_text()))
        return _bindable(0)

    def _last_words(self) -> str:
        """What the log says went wrong."""
        with contextlib.suppress(OSError):
            lines = self.log.read_text(errors="replace").splitlines()[-50:]
            for entry in map(_entry, lines):
                if entry.get("s") in ("F", "E"):
                    return f"{entry['msg']} {entry.get('attr', {}).get('error', '')}".strip()
        return f"see {self.log}"


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def _bindable(port: int) -> int:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        return int(listener.getsockname()[1])


def _entry(line: str) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        return dict(json.loads(line))
    return {}
