"""The demonstration of `scripts/run`, as a newcomer runs it: every process is real."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from notify_server import demonstration
from notify_server.config import Config
from tests.processes.free_ports import free_ports

BOOKING = Path(__file__).parents[1] / "examples" / "booking.json"
LINE = re.compile(r"^  \d\d:\d\d:\d\d\.\d{3}  (\S+) +(pending|sent|received|read)\b", re.MULTILINE)


def test_it_shows_every_state_of_every_recipient_and_exits_with_0(tmp_path: Path) -> None:
    names = ("NOTIFY_PORT", "NOTIFY_REALTIME_PORT", "NOTIFY_SIMULATOR_PORT")
    names += ("NOTIFY_CATCHER_PORT", "NOTIFY_CATCHER_SMTP_PORT")
    told = {name: str(port) for name, port in zip(names, free_ports(len(names)), strict=True)}
    done = subprocess.run(
        [sys.executable, "-m", "notify_server.cli", "up", "--demonstrate", str(BOOKING), "--once"],
        env=os.environ | told | {"NOTIFY_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    states: dict[str, list[str]] = {}
    for user, status in LINE.findall(done.stdout):
        states.setdefault(user, []).append(status)
    assert set(states) >= {"demo-ada", "demo-grace"}
    assert len(states) > 2  # the group brought others
    assert all(passed == ["pending", "sent", "received", "read"] for passed in states.values()), states
    assert re.search(r"curl -H 'Authorization: Bearer nst_\S+' http://127\.0\.0\.1:\d+/v1/notifications", done.stdout)
    assert re.search(r"^Console +http://127\.0\.0\.1:\d+/console$", done.stdout, re.MULTILINE)
    token = re.search(r"nst_\S+", done.stdout)
    assert token is not None
    assert token.group().rstrip("'") not in done.stderr  # the log holds no secret


def test_it_sends_nothing_by_itself_through_the_real_fcm(capsys: pytest.CaptureFixture[str]) -> None:
    assert demonstration.run(Config(fcm_project="a-real-project"), BOOKING) == 1
    assert "needs the simulator" in capsys.readouterr().out
