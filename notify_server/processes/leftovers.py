"""The processes of one `up`, found by a mark in their environment, whoever their parent is by now.

Linux only: the environment is read from /proc. A process that has ended shows an empty one there.
"""

import contextlib
import os
import signal
import time
from pathlib import Path

import structlog

log = structlog.get_logger()

_MARK = "NOTIFY_UP"
_PAUSE = 0.05  # seconds between two looks


def mark(data_dir: Path) -> dict[str, str]:
    """The environment variable by which the processes of this data directory are known."""
    return {_MARK: str(data_dir.resolve())}


def find(data_dir: Path) -> list[int]:
    """The ids of the living processes that carry the mark."""
    wanted = f"{_MARK}={data_dir.resolve()}".encode()
    return [
        int(entry.name) for entry in Path("/proc").glob("[0-9]*") if wanted in _read(entry / "environ").split(b"\0")
    ]


def stop(data_dir: Path, within: float) -> int:
    """End what an `up` that was killed left behind; returns how many processes that were.

    The supervisor goes first and takes the others along in their order; then whoever is left; mongod last. Each
    step has `within` seconds, then SIGKILL.
    """
    found = find(data_dir)
    if found:
        log.warning("stopping what a killed `up` left behind", processes=len(found))
    for due in (_is_supervisor, _is_no_database, _is_anything):
        _end([pid for pid in find(data_dir) if due(pid)], within)
    return len(found)


def kill(data_dir: Path) -> None:
    """End them all at once; the supervisor first, as it would start the others again."""
    for pid in sorted(find(data_dir), key=_is_supervisor, reverse=True):
        _signal(pid, signal.SIGKILL)


def _is_supervisor(pid: int) -> bool:
    return b"supervisor.supervisord" in _read(Path(f"/proc/{pid}/cmdline"))


def _is_no_database(pid: int) -> bool:
    return _read(Path(f"/proc/{pid}/comm")).strip() != b"mongod"


def _is_anything(_: int) -> bool:
    return True


def _end(pids: list[int], within: float) -> None:
    for pid in pids:
        _signal(pid, signal.SIGTERM)
    until = time.monotonic() + within
    while (alive := list(filter(_lives, pids))) and time.monotonic() < until:
        time.sleep(_PAUSE)
    for pid in alive:
        _signal(pid, signal.SIGKILL)


def _lives(pid: int) -> bool:
    return bool(_read(Path(f"/proc/{pid}/environ")))


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _read(path: Path) -> bytes:
    with contextlib.suppress(OSError):  # it has ended, or is somebody else's
        return path.read_bytes()
    return b""
