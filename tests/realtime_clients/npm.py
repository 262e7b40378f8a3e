"""The packages of package-lock.json, installed once into the user's cache; without Node a test is skipped."""

import fcntl
import os
import shutil
import subprocess
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
_FILES = ("package.json", "package-lock.json")
_WITHIN = 100.0  # seconds


def node() -> str:
    """The path of Node."""
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed: nothing is tested with the real socket.io-client")
    return found


@cache
def node_modules() -> Path:
    """The folder of the installed packages."""
    node()
    digest = sha256(b"".join((_HERE / name).read_bytes() for name in _FILES)).hexdigest()[:16]
    cached = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "notify-server-tests"
    cached.mkdir(parents=True, exist_ok=True)
    folder = cached / digest
    with (cached / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _install(cached / "new", folder)
    return folder / "node_modules"


def _install(draft: Path, folder: Path) -> None:
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    for name in _FILES:
        shutil.copy(_HERE / name, draft)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=draft, capture_output=True, text=True, timeout=_WITHIN, check=False)
    assert done.returncode == 0, f"npm ci failed: {done.stderr}"
    draft.rename(folder)
