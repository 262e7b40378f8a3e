"""The import contract holds, and breaks for every way of crossing a layer."""

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINTER = Path(sys.executable).with_name("lint-imports")

# A module, an import that it must not have, and the contract that forbids it.
CROSSINGS = [
    ("domain/user.py", "notify_server.storage.users", "Imports go downwards only"),
    ("domain/user.py", "marshmallow", "The domain needs nothing"),
    ("errors.py", "notify_server.config", "Imports go downwards only"),
    ("storage/users.py", "notify_server.services.people", "Imports go downwards only"),
    ("storage/users.py", "notify_server.channels.fcm.limits", "Imports go downwards only"),
    ("channels/fcm/answer.py", "notify_server.storage.users", "Imports go downwards only"),
    ("services/people.py", "notify_server.bootstrap", "Imports go downwards only"),
    ("services/people.py", "pymongo", "Only storage speaks to MongoDB"),
    ("api/context.py", "bson", "Only storage speaks to MongoDB"),
    ("api/context.py", "notify_server.processes.web", "Imports go downwards only"),
    ("bootstrap.py", "notify_server.api.context", "Imports go downwards only"),
    ("processes/loop.py", "notify_server.cli", "Imports go downwards only"),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of everything that the contract is about."""
    copy = tmp_path_factory.mktemp("tree")
    for package in ("notify_server", "migrations"):
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "setup.cfg", copy)
    return copy


def lint(directory: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(directory), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}
    return subprocess.run(
        [LINTER], cwd=directory, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_contract_holds(tree: Path) -> None:
    done = lint(tree)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(("module", "imported", "contract"), CROSSINGS)
def test_crossing_a_layer_breaks_the_contract(tree: Path, module: str, imported: str, contract: str) -> None:
    path = tree / "notify_server" / module
    before = path.read_text()
    path.write_text(f"{before}\nimport {imported}\n")
    done = lint(tree)
    path.write_text(before)
    assert done.returncode == 1, done.stdout + done.stderr
    broken = [line for line in done.stdout.splitlines() if line.endswith("BROKEN")]
    assert any(line.startswith(contract) for line in broken), done.stdout


def test_every_part_of_the_package_is_in_a_layer() -> None:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    layers = settings["importlinter:contract:layers"]["layers"].replace("|", " ").split()
    parts = {path.stem for path in (ROOT / "notify_server").iterdir() if _is_part(path)}
    assert parts == set(layers)


def _is_part(path: Path) -> bool:
    return (path / "__init__.py").is_file() or (path.suffix == ".py" and path.stem != "__init__")
