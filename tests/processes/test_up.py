import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import httpx
import psutil
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from notify_server.config import Config
from notify_server.processes import leftovers, ports
from notify_server.services.clock import utc_now
from notify_server.services.server_tokens import ServerTokens
from notify_server.storage.clients import Clients
from notify_server.storage.database import connect, uri_file
from tests.processes.free_ports import free_ports

CLI = ("-m", "notify_server.cli", "up")


def until(condition: Callable[[], object]) -> None:
    while not condition():
        time.sleep(0.05)


class Up:
    """`notify-server up` as a process, on a data directory and ports of its own."""

    def __init__(self, data_dir: Path, *arguments: str, given: dict[str, str] | None = None) -> None:
        web, realtime, simulator, catcher, smtp = free_ports(5)
        self.config = Config(
            data_dir=data_dir,
            port=web,
            realtime_port=realtime,
            simulator_port=simulator,
            catcher_port=catcher,
            catcher_smtp_port=smtp,
        )
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("NOTIFY_", "GOOGLE_"))}
        wanted = {
            "NOTIFY_DATA_DIR": str(data_dir),
            "NOTIFY_PORT": str(web),
            "NOTIFY_REALTIME_PORT": str(realtime),
            "NOTIFY_SIMULATOR_PORT": str(simulator),
            "NOTIFY_CATCHER_PORT": str(catcher),
            "NOTIFY_CATCHER_SMTP_PORT": str(smtp),
            "NOTIFY_WEB_PROCESSES": "1",
        }
        self.output = data_dir.with_suffix(".output")
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *(arguments or CLI)],
                env=inherited | wanted | (given or {}),
                stdout=subprocess.PIPE,
                stderr=output,
                process_group=0,
            )

    def await_ready(self) -> None:
        until(lambda: self.process.poll() is not None or b'"event": "ready"' in self.output.read_bytes())
        assert self.process.poll() is None, self.output.read_text()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        """Wait for it, and return its exit code."""
        code = self.process.wait(50)
        self.process.stdout.close()
        return code

    def kill_all(self) -> None:
        """Whatever a failed test leaves behind."""
        if self.process.returncode is None:
            self.process.kill()
            self.end()
        leftovers.kill(self.config.data_dir)

    def children(self) -> dict[str, int]:
        """The process ids by name: mongod, or the command of ours."""
        found = {}
        for pid in leftovers.find(self.config.data_dir):
            with suppress(psutil.NoSuchProcess):  # it has ended, and waits to be collected
                command = psutil.Process(pid).cmdline()
                if not command:
                    continue  # the same
                name = command[-1] if "notify_server.cli" in command else Path(command[0]).name
                found.setdefault(name, pid)
        return found


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Up]]:
    started: list[Up] = []

    def begin(*arguments: str, given: dict[str, str] | None = None, data_dir: Path = tmp_path / "data") -> Up:
        started.append(Up(data_dir, *arguments, given=given))
        return started[-1]

    yield begin
    for up in started:
        up.kill_all()


def stop_order(up: Up) -> list[str]:
    log = (up.config.run_dir / "supervisord.log").read_text()
    return [line.split("stopped: ")[1].split("_")[0] for line in log.splitlines() if "stopped: " in line]


def refused(*command: str, **environment: str) -> str:
    """What `up` says on stderr when it exits with 2."""
    done = subprocess.run(
        [sys.executable, *command],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    return done.stderr


def refuses_a_second_one(up: Up, elsewhere: Path) -> None:
    """On the same directory, and on the same ports."""
    said = refused(*CLI, NOTIFY_DATA_DIR=str(up.config.data_dir))
    assert f"another `notify-server up` (process {up.process.pid}) already runs on {up.config.data_dir}" in said
    taken = {"NOTIFY_PORT": up.config.port, "NOTIFY_REALTIME_PORT": up.config.realtime_port}
    taken["NOTIFY_SIMULATOR_PORT"] = up.config.simulator_port
    said = refused(*CLI, NOTIFY_DATA_DIR=str(elsewhere), **{name: str(port) for name, port in taken.items()})
    assert all(f"{name}: cannot listen on port {port}" in said for name, port in taken.items())
    assert not (elsewhere / "mongodb").exists()


def catches_a_mail(up: Up, database: Database[dict[str, Any]]) -> None:
    """What goes by mail is sent for real, to the catcher, which shows it; without anybody having set anything."""
    token = ServerTokens(Clients(database), utc_now).create("tests", [])
    with httpx.Client(
        base_url=f"http://127.0.0.1:{up.config.port}/v1", headers={"Authorization": f"Bearer {token}"}
    ) as api:
        assert api.put("/users/ada", json={"email": "ada@school.example"}).status_code == 201
        message = {"title": "Booking confirmed", "body": "Monday 9:00"}
        made = api.post("/notifications", json={"message": message, "users": ["ada"], "channels": ["email"]})
        assert made.status_code == 202, made.text
        entries = f"/notifications/{made.json()['id']}/registry"
        until(lambda: api.get(entries, params={"status": "sent"}).json()["entries"])  # written after the mail
        [mail] = api.get("/mails").json()["mails"]
        [entry] = api.get(entries).json()["entries"]
        [_, _, by_mail] = api.get("/statistics").json()["channels"]
    assert (mail["recipient"], mail["address"], mail["service"]) == ("ada", "ada@school.example", "smtp")
    assert (entry["status"], by_mail["sent"]) == ("sent", 1)
    with httpx.Client(base_url=f"http://127.0.0.1:{up.config.catcher_port}") as catcher:
        [caught] = catcher.get("/mails").json()["mails"]
        whole = catcher.get(f"/mails/{caught['id']}").json()
    assert (caught["to"], caught["subject"], caught["message_id"]) == (
        ["ada@school.example"],
        "Booking confirmed",
        mail["message_id"],
    )
    assert "Monday 9:00" in whole["text"]


def test_it_runs_everything_once_keeps_it_running_and_stops_it_in_order(start, tmp_path):
    up = start()
    up.await_ready()
    assert urlopen(f"http://127.0.0.1:{up.config.port}/readyz").status == 200
    assert ports.accepts("127.0.0.1", up.config.realtime_port)
    assert ports.accepts("127.0.0.1", up.config.simulator_port)
    before = up.children()
    assert {"mongod", "simulator", "catcher", "worker", "scheduler", "realtime", "web"} <= set(before)
    refuses_a_second_one(up, tmp_path / "other")
    assert ports.is_ready(up.config)

    os.kill(before["worker"], signal.SIGKILL)
    until(lambda: up.children().get("worker") not in (None, before["worker"]))

    with connect(up.config).client as client:
        catches_a_mail(up, client.notify)
        client.notify.things.insert_one({"_id": "kept"})
        os.kill(before["mongod"], signal.SIGKILL)
        until(lambda: up.children().get("mongod") not in (None, before["mongod"]))
        until(lambda: ports.is_ready(up.config))
        assert client.notify.things.count_documents({"_id": "kept"}) == 1
    until(lambda: up.output.read_bytes().count(b'"event": "process restarted"') == 2)

    secret = json.loads((up.config.data_dir / "secrets.json").read_text())["jwt_secret"]
    assert secret not in up.output.read_text()

    up.signal(signal.SIGTERM)
    assert up.end() == 0, up.output.read_text()
    assert stop_order(up) == ["web", "realtime", "scheduler", "worker", "catcher", "simulator", "mongod"]
    assert leftovers.find(up.config.data_dir) == []
    assert not uri_file(up.config).exists()


def test_after_a_kill_9_a_new_one_takes_over_with_the_data(start):
    """Once it alone was killed, and once its supervisor as well."""
    up = start()
    up.await_ready()
    with connect(up.config).client as client:
        client.notify.things.insert_one({"_id": "kept"})
    secret = (up.config.data_dir / "secrets.json").read_text()
    for with_supervisor in (False, True):
        up.signal(signal.SIGKILL)
        up.end()
        if with_supervisor:
            os.kill(int((up.config.run_dir / "supervisord.pid").read_text()), signal.SIGKILL)
        orphans = up.children()
        assert {"mongod", "worker", "web"} <= set(orphans)

        up = start()
        up.await_ready()
        now = up.children()
        assert {"mongod", "worker", "web"} <= set(now)
        assert not set(orphans.values()) & set(now.values())
        with connect(up.config).client as client:
            assert client.notify.things.count_documents({"_id": "kept"}) == 1
        assert (up.config.data_dir / "secrets.json").read_text() == secret
    up.signal(signal.SIGINT)
    assert up.end() == 0
    assert leftovers.find(up.config.data_dir) == []


def test_a_second_signal_kills_it(start):
    up = start()
    up.await_ready()
    os.kill(up.children()["mongod"], signal.SIGSTOP)  # the orderly stop cannot end
    up.signal(signal.SIGTERM)
    until(lambda: "web" in stop_order(up))
    up.signal(signal.SIGTERM)
    assert up.end() == 1
    assert leftovers.find(up.config.data_dir) == []


def test_a_signal_while_it_starts_stops_it_too(start):
    up = start()
    until(lambda: "mongod" in up.children())
    up.signal(signal.SIGTERM)
    assert up.end() == 0
    assert leftovers.find(up.config.data_dir) == []


ONCE = """
import sys
from urllib.request import urlopen
from notify_server import config, logs
from notify_server.processes import up

def when_ready(config):
    print(config.mongodb_uri, config.jwt_secret, config.fcm_project, config.fcm_endpoint, config.fcm_ca_file)
    return urlopen(f"http://127.0.0.1:{config.port}/readyz").status

logs.configure("info", "json", "up")
sys.exit(up.run(config.load(), when_ready, once=True) - 193)
"""


def test_once_calls_back_with_the_completed_configuration_and_returns_its_result(start, mongodb_uri):
    up = start("-c", ONCE, given={"NOTIFY_MONGODB_URI": mongodb_uri, "NOTIFY_DATABASE": "test_up"})
    output = up.process.stdout.read().decode().split()
    assert up.end() == 7, up.output.read_text()
    uri, secret, project, endpoint, ca = output
    assert uri == mongodb_uri
    assert len(secret) >= 32
    assert project
    assert endpoint == f"https://127.0.0.1:{up.config.simulator_port}"
    assert Path(ca).read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert not (up.config.data_dir / "mongodb").exists()
    with MongoClient(mongodb_uri) as client:
        client.drop_database("test_up")


def test_a_process_that_cannot_start_ends_it_with_1_and_its_name(start, tmp_path):
    (tmp_path / "data" / "run").mkdir(parents=True)
    (tmp_path / "data" / "run" / "simulator").write_text("in the way of the directory")
    up = start()
    assert up.end() == 1
    assert b"simulator_0 ended while starting" in up.output.read_bytes()
    assert leftovers.find(up.config.data_dir) == []
