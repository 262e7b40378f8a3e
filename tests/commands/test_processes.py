import pytest

from tests.command_line import invoke, named

PROCESSES = ["web", "worker", "scheduler", "realtime", "simulator", "up"]


@pytest.mark.parametrize("command", [*PROCESSES, "migrate"])
def test_nothing_starts_with_a_bad_one(command):
    done = invoke(command, NOTIFY_PORT="0", NOTIFY_REALTIME_PORT="70000")
    assert (done.exit_code, named(done.stderr)) == (2, {"NOTIFY_PORT", "NOTIFY_REALTIME_PORT"})


def test_once_needs_a_payload_to_demonstrate():
    done = invoke("up", "--once")
    assert (done.exit_code, "--demonstrate" in done.stderr) == (2, True)
