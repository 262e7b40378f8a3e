"""The database's disk fills up: mongod dies of it, everybody waits, and goes on when there is room."""

import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from notify_server.storage import migrations
from tests.faults.api import Api
from tests.faults.conftest import SOME
from tests.faults.scene import SLOW, WINDOW, Scene, names, populate, scene_at
from tests.mongod import Mongod
from tests.service import until

PEOPLE = names(SOME)
DISK = 512 * 1024 * 1024  # bytes
LEFT = 256 * 1024  # bytes that are free when it is as good as full


@contextmanager
def tmpfs(directory: Path) -> Iterator[None]:
    """A small file system of its own on `directory`. Raises CalledProcessError where we may not mount."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(directory)]
    subprocess.run(mount, check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


def may_mount() -> bool:
    if os.geteuid() or not shutil.which("mount"):
        return False
    with tempfile.TemporaryDirectory() as directory:
        try:
            with tmpfs(Path(directory)):
                return True
        except subprocess.CalledProcessError:
            return False


class RealDisk:
    """A small disk, full of something else."""

    def __init__(self, directory: Path, mongod: Mongod) -> None:
        self._ballast = directory / "ballast"
        self._free = lambda: shutil.disk_usage(directory).free

    def fill(self) -> None:
        """Leave next to nothing."""
        with self._ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, self._free() - LEFT)

    def make_room(self) -> None:
        """Take the something else away."""
        self._ballast.unlink()


class Limit:
    """No disk at all: the kernel lets mongod write nothing more to any file. For whom may not mount."""

    def __init__(self, directory: Path, mongod: Mongod) -> None:
        self._mongod = mongod

    def fill(self) -> None:
        """From here on every write of mongod fails."""
        resource.prlimit(self._mongod.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    def make_room(self) -> None:
        """The next mongod has no such limit."""


WAYS = [Limit, RealDisk] if may_mount() else [Limit]


@pytest.fixture(params=[*WAYS[:1], *(pytest.param(way, marks=pytest.mark.full) for way in WAYS[1:])])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Mongod, RealDisk | Limit]]:
    """A mongod, and the disk that it is on."""
    directory = tmp_path / "disk"
    directory.mkdir()
    with tmpfs(directory) if request.param is RealDisk else nullcontext():
        mongod = Mongod(directory)
        mongod.start()
        yield mongod, request.param(directory, mongod)
        mongod.stop()


@pytest.fixture
def scene(place, fcm, tmp_path, rows) -> Iterator[Scene]:
    scene = scene_at(place[0].uri, "faults", fcm, tmp_path, web_processes=1)
    scene.rows = rows
    migrations.run(scene.database)
    populate(scene.database, PEOPLE, {"some": SOME})
    yield scene
    scene.close()


def test_a_full_disk_costs_nobody_and_the_api_says_so(scene, place):
    mongod, disk = place
    scene.fcm.behave(latency=SLOW)
    processes = [scene.service.start(command) for command in ("worker", "scheduler", "web")]
    for process in processes[:2]:
        process.ready(f"{process.command} started")
    api = Api(scene)
    api.await_ready()
    notification = scene.accept(groups=["some"])
    until(lambda: scene.count(notification, status="sent") > 0, "something is sent")
    disk.fill()
    mongod.await_death()
    refused = api.post("once", users=PEOPLE[:10])
    assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
    assert api.client.get("/readyz").status_code == 503
    assert all(process.alive for process in processes)
    disk.make_room()
    scene.begin()
    mongod.start()
    posted = api.insist("once", users=PEOPLE[:10])
    api.close()
    scene.await_done(notification, posted)
    scene.sound(scene.evidence(posted))
    evidence = scene.sent_to_all(f"disk full ({type(disk).__name__})", notification, PEOPLE)
    assert evidence.duplicates <= WINDOW
    assert all(process.alive for process in processes)
