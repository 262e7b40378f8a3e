"""Machines whose clocks are wrong, or jump in the midst of the work: all go by the clock of the database."""

import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.faults import wrong_clock
from tests.faults.api import Api
from tests.faults.conftest import SOME
from tests.faults.scene import SLOW, Scene
from tests.service import Process, until

HOUR = 3600  # seconds
SKEWED = 120  # what Google's token endpoint bears: a machine that is further off gets no access token
SLACK = timedelta(seconds=5)


def start_wrong(scene: Scene, command: str, seconds: int, *, jumping: bool = False, **settings: object) -> Process:
    """A process on a machine that is so far ahead: from the start, or from the moment at which it is told to jump."""
    off = f"{seconds}" if jumping else f"={seconds}"
    return scene.service.start(command, program=(str(Path(wrong_clock.__file__)), off), **settings)


def jump(process: Process) -> None:
    process.notify(signal.SIGUSR1)


def plausible(scene: Scene, notification: str, since: datetime) -> None:
    """Assert that everything that was written down happened between `since` and now."""
    for entry in scene.evidence(notification).entries:
        times = [line["at"] for line in entry["history"]]
        assert since - SLACK <= times[0] <= times[-1] <= datetime.now(UTC) + SLACK


@pytest.mark.parametrize("seconds", [SKEWED, pytest.param(-SKEWED, marks=pytest.mark.full)], ids=["ahead", "behind"])
def test_a_worker_whose_clock_is_wrong_takes_nothing_from_another(scene, people, seconds):
    scene.fcm.behave(latency=SLOW)
    since = datetime.now(UTC)
    start_wrong(scene, "worker", seconds).ready("worker started")
    scene.service.start("worker").ready("worker started")
    scene.begin()
    notification = scene.accept(groups=["some"])
    scene.await_done(notification)
    where = "ahead" if seconds > 0 else "behind"
    evidence = scene.sent_to_all(f"worker's clock {SKEWED} s {where}", notification, people[:SOME], window=0)
    assert evidence.duplicates == 0
    plausible(scene, notification, since)


@pytest.mark.parametrize("seconds", [SKEWED, pytest.param(-SKEWED, marks=pytest.mark.full)], ids=["forward", "back"])
def test_clocks_that_jump_in_mid_dispatch_cost_nobody_and_repeat_nothing(scene, people, seconds):
    scene.fcm.behave(latency=SLOW)
    since = datetime.now(UTC)
    jumps = {"worker": seconds, "scheduler": HOUR if seconds > 0 else -HOUR}
    processes = [start_wrong(scene, command, off, jumping=True) for command, off in jumps.items()]
    for process in processes:
        process.ready(f"{process.command} started")
    notification = scene.accept(groups=["some"])
    until(lambda: scene.count(notification, status="sent") > 0, "something is sent")
    for process in processes:
        jump(process)
    scene.begin()
    assert scene.count(notification, status="sent") < SOME
    scene.await_done(notification)
    where = "forward" if seconds > 0 else "back"
    evidence = scene.sent_to_all(f"clocks jump {where} in mid-dispatch", notification, people[:SOME], window=0)
    assert evidence.duplicates == 0
    plausible(scene, notification, since)
    later = scene.accept(users=people[:10], ttl=1, send_at=datetime.now(UTC) + timedelta(seconds=1))
    until(lambda: not scene.notification(later)["open"], "it is released, sent and closed in its time")
    scene.sound(scene.evidence(later))


@pytest.mark.parametrize("seconds", [HOUR, pytest.param(-HOUR, marks=pytest.mark.full)], ids=["ahead", "behind"])
def test_a_web_process_whose_clock_is_wrong_accepts_for_now_and_knows_its_users(scene, people, seconds):
    since = datetime.now(UTC)
    start_wrong(scene, "web", seconds, web_processes=1)
    for command in ("worker", "scheduler"):
        scene.service.start(command).ready(f"{command} started")
    api = Api(scene)
    api.await_ready()
    scene.begin()
    notification = api.insist("once", users=people[:10])
    scene.await_done(notification)
    token = scene.services.user_tokens.mint(people[0])[0]
    assert api.client.get("/v1/me/devices", headers={"authorization": f"Bearer {token}"}).status_code == 200
    api.close()
    where = "ahead" if seconds > 0 else "behind"
    scene.sent_to_all(f"web process's clock an hour {where}", notification, people[:10], window=0)
    plausible(scene, notification, since)
    assert abs(scene.notification(notification)["created_at"] - since) < 4 * SLACK
