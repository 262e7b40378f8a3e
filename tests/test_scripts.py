import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = [ROOT / "scripts" / name for name in ("setup", "run", "test", "check", "bench")] + [ROOT / ".ci" / "run"]
TOOLS = ("basename", "cat", "cksum", "cp", "dirname", "flock", "grep", "id", "ldd", "mkdir", "sed", "sh", "uname")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_every_door_can_be_run_and_is_plain_shell(script):
    assert os.access(script, os.X_OK)
    assert script.read_text().startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n", script], check=True)


class Clone:
    """A copy of the doors in a directory of its own, with nothing on PATH but what it is given."""

    def __init__(self, root: Path) -> None:
        self.root = root / "a clone"
        self._path = root / "bin"
        self._path.mkdir()
        for tool in TOOLS:
            (self._path / tool).symlink_to(shutil.which(tool))
        shutil.copytree(ROOT / "scripts", self.root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("setup.cfg", "pyproject.toml"):
            shutil.copy(ROOT / name, self.root / name)

    def command(self, name: str, script: str) -> None:
        """Put a command on PATH."""
        self._write(self._path / name, script)

    def installed(self, name: str, script: str) -> None:
        """Put a command into .venv/bin."""
        self._write(self.root / ".venv" / "bin" / name, script)

    def run(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self._path)}
        command = [self.root / "scripts" / name, *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    @staticmethod
    def _write(path: Path, script: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)


@pytest.fixture
def clone(tmp_path):
    return Clone(tmp_path)


# A Python that makes venvs whose own Python notes what it is asked to install.
MAKES_VENVS = """
case "$*" in
*"sys.exit(sys.version_info"*) exit 0 ;;
*sys.executable*) echo "$0" ;;
"-m venv --clear .venv")
    mkdir -p .venv/bin
    echo "command = python3 -m venv --clear $PWD/.venv" >.venv/pyvenv.cfg
    echo made >>made
    cp "$0" .venv/bin/python
    ;;
*"pip "*) echo "$*" >>installed ;;
*FIFTYONE*) echo /nowhere ;;
esac
"""


def test_setup_makes_the_venv_once_and_is_idle_until_something_changes(clone):
    clone.command("python3", MAKES_VENVS)
    assert clone.run("setup").returncode == 0
    assert "[embedded,simulator,dev]" in (clone.root / "installed").read_text()
    assert clone.run("setup").stderr == ""
    assert (clone.root / "installed").read_text().count("\n") == 1

    with (clone.root / "setup.cfg").open("a") as file:
        file.write("\n# a new dependency\n")
    assert clone.run("setup").returncode == 0
    assert (clone.root / "installed").read_text().count("\n") == 2
    assert (clone.root / "made").read_text().count("\n") == 1


def test_a_clone_that_was_moved_gets_a_new_venv(clone):
    clone.command("python3", MAKES_VENVS)
    clone.run("setup")
    clone.root = clone.root.rename(clone.root.with_name("moved"))
    assert clone.run("setup").returncode == 0
    assert (clone.root / "made").read_text().count("\n") == 2


def test_a_python_that_is_too_old_is_passed_over_and_the_package_is_named(clone):
    clone.command("python3", "exit 1")
    done = clone.run("setup")
    assert done.returncode == 1
    assert "no Python 3.11 or newer" in done.stderr
    assert "apt-get install python3 python3-venv" in done.stderr


def test_a_python_without_venv_is_told_the_package(clone):
    without = 'case "$*" in *ensurepip*) exit 1 ;; *-venv*) echo python3.11-venv ;; *sys.executable*) echo "$0" ;; esac'
    clone.command("python3", without)
    done = clone.run("setup")
    assert done.returncode == 1
    assert "sudo apt-get install python3.11-venv" in done.stderr
    assert not (clone.root / ".venv").exists()


def test_libraries_that_mongod_lacks_are_named_as_packages(clone):
    clone.command("python3", MAKES_VENVS)
    (clone._path / "ldd").unlink()
    clone.command("ldd", "printf '\\tlibcurl.so.4 => not found\\n\\tlibssl.so.3 => /lib/libssl.so.3 (0x00007f)\\n'")
    done = clone.run("setup")
    assert done.returncode == 1
    assert "sudo apt-get install libcurl4\n" in done.stderr
    assert clone.run("setup").returncode == 1


@pytest.mark.parametrize("broken", ["ruff", "mypy", "lint-imports", None])
def test_check_runs_every_check_and_fails_if_one_fails(clone, broken):
    clone._write(clone.root / "scripts" / "setup", "")
    for tool in ("ruff", "mypy", "lint-imports"):
        clone.installed(tool, f"echo {tool} $1; exit {int(tool == broken)}")
    done = clone.run("check")
    assert done.stdout.split("\n") == ["ruff format", "ruff check", "mypy", "lint-imports", ""]
    assert done.returncode == (1 if broken else 0)


@pytest.mark.parametrize(
    ("door", "command", "expected"),
    [
        ("run", "notify-server", "up --demonstrate examples/booking.json --once"),
        ("test", "python", "-m pytest --once"),
        ("bench", "python", "-m scripts.benchmarks --once"),
    ],
)
def test_a_door_sets_up_passes_its_arguments_and_its_exit_code_on(clone, door, command, expected):
    clone._write(clone.root / "scripts" / "setup", "echo set up")
    clone.installed(command, 'echo "$PWD: $*"; exit 5')
    done = clone.run(door, "--once")
    assert done.stdout == f"set up\n{clone.root}: {expected}\n"
    assert done.returncode == 5


def test_the_whole_suite_runs_in_two_parts_and_fails_with_the_first(clone):
    clone._write(clone.root / "scripts" / "setup", "")
    clone.installed("python", 'echo "$*"')
    parts = clone.run("test").stdout.splitlines()
    assert ["--ignore tests/faults" in part for part in parts] == [True, False]
    assert parts[1] == "-m pytest tests/faults"
    clone.installed("python", 'echo "$*"; exit 3')
    done = clone.run("test")
    assert (done.returncode, done.stdout.count("\n")) == (3, 1)
