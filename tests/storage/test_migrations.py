import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from notify_server.errors import MigrationsPending
from notify_server.storage import migrations

FIRST = '"""One."""\ndef apply(database):\n    database.log.insert_one({"name": "first"})\n'
SECOND = '"""Two."""\ndef apply(database):\n    database.log.insert_one({"name": "second"})\n'
BROKEN = '"""Three."""\ndef apply(database):\n    raise ArithmeticError("broken")\n'
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Package:
    """A package of migrations in a temporary directory."""

    def __init__(self, directory: Path, name: str) -> None:
        self.name = name
        self._path = directory / name
        self._path.mkdir()
        self.add("__init__", "")

    def add(self, module: str, source: str) -> None:
        (self._path / f"{module}.py").write_text(source)

    def remove(self, module: str) -> None:
        (self._path / f"{module}.py").unlink()


@pytest.fixture
def package(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Package:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    made = Package(tmp_path, f"migrations_{abs(hash(request.node.name))}")
    made.add("m0002_second", SECOND)
    made.add("m0001_first", FIRST)
    made.add("notes", "raise RuntimeError")
    return made


def applied(database: Database[dict[str, Any]]) -> list[str]:
    return [entry["name"] for entry in database.log.find().sort("_id")]


def test_what_is_pending_runs_once_and_in_order(bare_database, package):
    assert migrations.pending(bare_database, package.name) == ["m0001_first", "m0002_second"]
    assert migrations.run(bare_database, package.name) == ["m0001_first", "m0002_second"]
    assert migrations.run(bare_database, package.name) == []
    assert applied(bare_database) == ["first", "second"]


def test_each_run_is_recorded_with_its_time(bare_database, package):
    migrations.run(bare_database, package.name, clock=lambda: NOON)
    record = bare_database.migrations.find_one({"_id": "m0001_first"})
    assert record["applied_at"] == NOON
    assert record["seconds"] >= 0


def test_a_migration_that_fails_is_not_recorded_and_the_next_run_begins_with_it(bare_database, package):
    package.add("m0003_third", BROKEN)
    package.add("m0004_fourth", FIRST)
    with pytest.raises(ArithmeticError):
        migrations.run(bare_database, package.name)
    assert migrations.pending(bare_database, package.name) == ["m0003_third", "m0004_fourth"]
    assert bare_database.leases.count_documents({}) == 0


def test_a_database_newer_than_the_code_is_refused_by_name(bare_database, package):
    migrations.run(bare_database, package.name)
    package.remove("m0002_second")
    with pytest.raises(MigrationsPending, match="newer than this code: it has m0002_second"):
        migrations.pending(bare_database, package.name)
    with pytest.raises(MigrationsPending, match="m0002_second"):
        migrations.run(bare_database, package.name)


def test_a_database_behind_the_code_is_told_how_to_catch_up(bare_database, package):
    with pytest.raises(MigrationsPending, match="notify-server migrate"):
        migrations.require_current(bare_database, package.name)
    migrations.run(bare_database, package.name)
    migrations.require_current(bare_database, package.name)


def test_four_runners_at_once_apply_each_migration_once(bare_database, package):
    done: list[list[str]] = []
    runners = [
        threading.Thread(target=lambda: done.append(migrations.run(bare_database, package.name))) for _ in range(4)
    ]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    assert sorted(done) == [[], [], [], ["m0001_first", "m0002_second"]]
    assert applied(bare_database) == ["first", "second"]


def test_the_migrations_of_this_code_can_be_repeated_and_are_numbered_without_gaps(bare_database):
    names = migrations.known()
    assert [name[:5] for name in names] == [f"m{number:04}" for number in range(1, len(names) + 1)]
    assert migrations.run(bare_database) == names
    bare_database.migrations.delete_many({})
    assert migrations.run(bare_database) == names
    migrations.require_current(bare_database)


def test_every_migration_of_this_code_says_what_it_does():
    modules = [__import__(f"migrations.{name}", fromlist=["apply"]) for name in migrations.known()]
    assert modules
    assert all(module.__doc__ for module in modules)
