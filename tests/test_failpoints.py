import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from notify_server.errors import ConfigurationError
from notify_server.failpoints import STEPS, VARIABLE, Failpoint, passes

PACKAGE = Path(__file__).parents[1] / "notify_server"
PASSING = """
from notify_server import failpoints
failpoints.arm()
for _ in range(3):
    failpoints.passes("delivery.sending")
    failpoints.passes("delivery.sent")
    print("lived", flush=True)
"""


def run(order: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {VARIABLE: order}
    return subprocess.run(
        [sys.executable, "-c", PASSING], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("order", "lived"), [("delivery.sending", 0), ("delivery.sent:1", 0), ("delivery.sent:3", 2), ("reap.done", 3)]
)
def test_a_process_dies_when_it_passes_its_step_for_the_ordered_time(order, lived):
    done = run(order)
    assert done.returncode == (0 if lived == 3 else -signal.SIGKILL)
    assert done.stdout.count("lived") == lived


def test_without_an_order_every_step_is_passed():
    assert run("").stdout.count("lived") == 3
    for step in STEPS:
        passes(step)


@pytest.mark.parametrize("order", ["delivery", "delivery.sent:", "delivery.sent:0", "delivery.sent:-1", ":3", "x:y"])
def test_an_order_that_names_no_step_is_refused_with_those_there_are(order):
    with pytest.raises(ConfigurationError) as refused:
        Failpoint().arm(order)
    [problem] = refused.value.problems
    assert problem.startswith("NOTIFY_FAILPOINT: ")
    assert "settlement.entries" in problem


def test_every_step_is_passed_at_one_place():
    passed = [
        name
        for path in PACKAGE.rglob("*.py")
        for name in re.findall(r'failpoints\.passes\("([^"]+)"\)', path.read_text())
    ]
    assert sorted(passed) == sorted(STEPS)
