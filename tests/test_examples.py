"""The programs in examples/, run as a reader runs them, against real processes."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from notify_server.bootstrap import build_services
from notify_server.services.server_tokens import Scope
from notify_server.storage.documents import Store
from tests.conftest import empty
from tests.fcm_simulator import SimulatorProcess
from tests.service import Service, until

EXAMPLES = Path(__file__).parents[1] / "examples"
CLASS = {"demo-ada", "demo-grace", "demo-alan"}
PHP = pytest.param(
    "php", "backend.php", marks=pytest.mark.skipif(not shutil.which("php"), reason="there is no PHP here")
)


@pytest.fixture(scope="module")
def service(mongodb_uri, shared_database, tmp_path_factory) -> Iterator[Service]:
    directory = tmp_path_factory.mktemp("service")
    with SimulatorProcess() as fcm, Service(mongodb_uri, shared_database.name, fcm, directory) as service:
        service.start("worker")
        service.start("web", web_processes=1)
        until(lambda: _is_ready(service), "web is ready")
        yield service


@pytest.fixture
def database(shared_database) -> Iterator[Store]:
    yield shared_database
    empty(shared_database)


@pytest.mark.parametrize(("program", "name"), [("sh", "backend.sh"), (sys.executable, "backend.py"), PHP])
def test_a_backend_syncs_sends_and_takes_back(program: str, name: str, service: Service, config, database) -> None:
    services = build_services(config, database)
    token = services.server_tokens.create("example", [Scope.SEND, Scope.READ, Scope.USERS])
    done = _run(program, name, service, token)
    assert done.returncode == 0, done.stderr
    assert set(database["users"].distinct("_id")) == CLASS
    entries = [entry for user in CLASS for entry in services.inspection.registry_of_user(user, None, 9)]
    assert [(entry["status"], entry["groups"]) for entry in entries] == [("cancelled", ["demo-class-101"])] * len(CLASS)
    assert all(user in done.stdout for user in CLASS)
    assert token not in done.stdout + done.stderr


@pytest.mark.parametrize(("program", "name"), [("sh", "backend.sh"), (sys.executable, "backend.py"), PHP])
def test_a_backend_that_is_refused_says_so_and_fails(program: str, name: str, service: Service) -> None:
    done = _run(program, name, service, "nst_0123456789ab_" + "x" * 43)
    assert done.returncode != 0
    assert "not a valid server token" in done.stdout + done.stderr


def _run(program: str, name: str, service: Service, token: str) -> subprocess.CompletedProcess[str]:
    told = {"URL": _url(service), "SERVER_TOKEN": token}
    command = [program, str(EXAMPLES / name)]
    return subprocess.run(command, env=os.environ | told, capture_output=True, text=True, timeout=90, check=False)


def _is_ready(service: Service) -> Any:
    try:
        return httpx.get(f"{_url(service)}/readyz").is_success
    except httpx.TransportError:
        return False


def _url(service: Service) -> str:
    return f"http://127.0.0.1:{service.config.port}"
