"""Every module has a test of its own name in the same place, and every test a module."""

from pathlib import Path

ROOT = Path(__file__).parents[2]

# Nothing in them can fail: declarations of types, and a call of another module.
UNTESTED = {"domain/audit.py", "domain/mail_event.py", "domain/push.py", "domain/user.py", "simulator/__main__.py"}

# Tests of what is no module: of the tree as a whole, of what any interleaving keeps, of a contract that several
# modules keep, of attacks, of scripts.
WITHOUT_MODULE = {
    "architecture",
    "browser",
    "faults",
    "properties",
    "realtime_clients",
    "api/test_matrix.py",
    "api/test_texts.py",
    "channels/fcm/test_transports.py",
    "services/test_escapes.py",
    "test_examples.py",
    "test_scripts.py",
}


def modules() -> set[str]:
    package = ROOT / "notify_server"
    return {str(path.relative_to(package)) for path in package.rglob("*.py") if path.name != "__init__.py"}


def present() -> set[str]:
    return {str(path.relative_to(ROOT / "tests")) for path in (ROOT / "tests").rglob("test_*.py")}


def test_every_module_has_its_test() -> None:
    untested = {module for module in modules() if _mirror(module) not in present()}
    assert untested == UNTESTED


def test_every_test_has_its_module() -> None:
    mirrors = {_mirror(module) for module in modules()}
    stray = {test for test in present() - mirrors if not {test, test.partition("/")[0]} & WITHOUT_MODULE}
    assert stray == set()


def test_every_folder_of_tests_is_a_package() -> None:
    folders = {path.parent for path in (ROOT / "tests").rglob("test_*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


def _mirror(module: str) -> str:
    path = Path(module)
    return str(path.with_name(f"test_{path.name}"))
