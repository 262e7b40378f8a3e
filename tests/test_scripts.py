import importlib
import json
import os
import shutil
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from bson import ObjectId

from scripts.benchmarks.__main__ import NAMES, module
from scripts.benchmarks.load import repeat
from scripts.benchmarks.quantile import quantile
from scripts.benchmarks.report import Result
from scripts.benchmarks.soak_check import Sends
from scripts.benchmarks.soak_samples import Sample, as_table, flatness
from scripts.gallery.scene import fill
from tests.builders import NOON

ROOT = Path(__file__).parents[1]
DOORS = ("setup", "run", "test", "check", "bench", "soak", "fuzz", "screenshots", "pack_gallery")
SCRIPTS = [*(ROOT / "scripts" / name for name in DOORS), ROOT / ".ci" / "run"]
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


@pytest.mark.parametrize("broken", ["ruff", "mypy", "lint-imports", "python", None])
def test_check_runs_every_check_and_fails_if_one_fails(clone, broken):
    clone._write(clone.root / "scripts" / "setup", "")
    for tool in ("ruff", "mypy", "lint-imports"):
        clone.installed(tool, f"echo {tool} $1; exit {int(tool == broken)}")
    clone.installed("python", f'echo "$*"; exit {int(broken == "python")}')
    done = clone.run("check")
    loaded = "-m pytest --collect-only -qq tests tests/faults"  # what it says is shown where a test does not load
    assert (clone.root / ".venv" / "loaded").read_text() == f"{loaded}\n"
    said = ["ruff format", "ruff check", "lint-imports", *([loaded] if broken == "python" else []), "mypy", ""]
    assert done.stdout.split("\n") == said
    assert done.stderr == ""
    assert done.returncode == (1 if broken else 0)


@pytest.mark.parametrize(
    ("door", "command", "expected"),
    [
        ("run", "notify-server", "up --demonstrate examples/booking.json --once"),
        ("test", "python", "-m pytest --once"),
        ("bench", "python", "-m scripts.benchmarks --once"),
        ("faults", "python", "-m pytest tests/faults --full --once"),
        ("soak", "python", "-m scripts.benchmarks.soak --once"),
        ("fuzz", "python", "-m scripts.fuzzing --once"),
        ("screenshots", "python", "-m scripts.gallery --once"),
        ("pack_gallery", "python", "-m scripts.gallery.packs --once"),
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
    assert parts[1] == "-m pytest -n 3 --dist loadfile tests/faults"
    clone.installed("python", 'echo "$*"; exit 3')
    done = clone.run("test")
    assert (done.returncode, done.stdout.count("\n")) == (3, 1)


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_can_be_run_by_its_name(name):
    assert callable(importlib.import_module(module(name)).run)


def test_an_unknown_benchmark_is_refused_and_the_known_ones_are_named():
    command = [sys.executable, "-m", "scripts.benchmarks", "speed"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "unknown benchmark speed; there are: " + ", ".join(NAMES) in done.stderr


def test_a_result_is_one_line_of_json_or_a_line_a_figure():
    result = Result("accept", {"notifications_per_second": 2000.0}, {"bare_inserts_per_second": 3000.0}, "a machine")
    assert "\n" not in result.as_json()
    assert json.loads(result.as_json()) == {
        "benchmark": "accept",
        "machine": "a machine",
        "figures": {"notifications_per_second": 2000.0},
        "reference": {"bare_inserts_per_second": 3000.0},
    }
    assert [line.split()[0] for line in result.as_text().splitlines()] == [
        "accept",
        "notifications_per_second",
        "bare_inserts_per_second",
    ]


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1), (0.5, 50), (0.99, 99), (1.0, 100)])
def test_a_quantile_is_a_value_that_was_measured(share, expected):
    assert quantile(range(100, 0, -1), share) == expected


class Answering(BaseHTTPRequestHandler):
    """Answers each POST with 202, or with 503 where the body says so."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.connections.add(self.client_address)
        self.send_response(503 if body == b"fail" else 202)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


@pytest.fixture
def answering():
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        server.connections = set()
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


REQUEST = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\n\r\n"


def test_the_load_keeps_its_connections_and_times_every_answer(answering):
    found = repeat(answering.server_port, REQUEST + b"send", 202, 3, 0.3)
    assert len(answering.connections) == 3
    assert found.answers == len(found.times) > 3
    assert all(0 < time <= found.seconds for time in found.times)


def test_the_load_ends_with_the_first_answer_that_is_not_the_expected_one(answering):
    with pytest.raises(RuntimeError, match="503"):
        repeat(answering.server_port, REQUEST + b"fail", 202, 1, 30.0)


def samples(ages, memory, expansion_age=0.05):
    return [
        Sample(
            5.0 * number, age, expansion_age * number, 100 * number, 110 * number, {"worker": mib}, {"worker": number}
        )
        for number, (age, mib) in enumerate(zip(ages, memory, strict=True))
    ]


@pytest.mark.parametrize(
    ("ages", "memory", "expected"),
    [
        ([9.0] * 4 + [0.1] * 8, [50.0] * 4 + [90.0] * 8, [True, True, True]),
        ([0.5 * number for number in range(12)], [90.0] * 12, [False, True, True]),
        ([0.1] * 12, [90.0 + 5 * number for number in range(12)], [True, True, False]),
    ],
    ids=["only the first third differs", "the queue grows", "the memory grows"],
)
def test_a_soak_is_flat_when_its_later_thirds_are(ages, memory, expected):
    assert [well for _, well in flatness(samples(ages, memory))] == expected


def test_a_soak_whose_expansion_falls_behind_is_not_flat():
    falling = samples([0.0] * 12, [90.0] * 12, expansion_age=2.0)
    assert [well for _, well in flatness(falling)] == [True, False, True]


def test_the_table_of_a_soak_has_a_line_a_sample_with_rates_since_the_one_before():
    table = as_table(samples([0.1, 0.2, 0.3], [90.0, 91.0, 92.0])).splitlines()
    assert len(table) == 3
    assert table[1].split() == ["5", "0.2", "0.1", "22", "20", "91", "20%"]


def row(notification, target, outcome):
    message = {"token": target, "data": {"notification_id": notification}}
    return json.dumps({"target": target, "outcome": outcome, "message": message}).encode()


def test_the_sends_of_a_soak_tell_duplicates_and_the_dead_from_the_rest():
    log = [row("n1", "t1", "accepted"), row("n1", "t1", "accepted"), row("n1", "t2", "unregistered")]
    sends = Sends([*log, row("n2", "t1", "unavailable")])
    assert str(sends) == "sends {'accepted': 2, 'unregistered': 1, 'unavailable': 1}, 1 duplicates"
    assert sends.accepted("n1")
    assert not sends.accepted("n2")
    assert [(sent["target"], sent["outcome"]) for sent in sends.of("n2")] == [
        ("t1", "unavailable"),
        ("t2", "unregistered"),
    ]


def test_the_pictures_show_a_month_that_could_have_been(database):
    scene = fill(database, NOON, days=4)
    entries = list(database["registry"].find())
    assert len(entries) > 200
    for entry in entries:
        times = [line["at"] for line in entry["history"]]
        assert times == sorted(times)
        assert entry["history"][-1]["status"] == entry["status"]
    shown = database["registry"].find_one({"_id.u": scene.user, "_id.n": ObjectId(scene.notification)})
    assert shown["status"] == "failed"


def test_the_memory_of_mongod_is_not_judged():
    filling = [
        Sample(5.0 * look, 0.0, 0.0, 100 * look, 100 * look, {"mongod": 500.0 + 100 * look}, {"mongod": 0.1 * look})
        for look in range(12)
    ]
    assert [text.partition(":")[0] for text, _ in flatness(filling)] == ["queue age", "expansion age"]
