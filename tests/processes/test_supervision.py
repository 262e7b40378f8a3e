import io
import os
import signal
import time
from collections.abc import Callable

import pytest

from notify_server.errors import ConfigurationError
from notify_server.processes.programs import Program
from notify_server.processes.supervision import Supervisor


def until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.02)


def shell(name: str, script: str, **options: object) -> Program:
    return Program(name, ["/bin/sh", "-c", script], **options)


@pytest.fixture
def output():
    return io.BytesIO()


@pytest.fixture
def make(tmp_path):
    return lambda *programs: Supervisor(programs, tmp_path, os.environ | {"INHERITED": "yes"})


def test_a_program_starts_when_told_to_with_its_environment_and_its_output_is_passed_on(make, output):
    supervisor = make(shell("web", "echo out $INHERITED $OWN; echo err >&2; sleep 60", environment={"OWN": "too"}))
    with supervisor.running(output):
        assert [state.state for state in supervisor.states()] == ["STOPPED"]
        supervisor.launch("web")
        until(lambda: output.getvalue().count(b"\n") == 2)
    assert output.getvalue() == b"out yes too\nerr\n"


def test_a_process_that_is_killed_is_started_again(make, output):
    supervisor = make(shell("worker", "sleep 60", count=2))
    with supervisor.running(output):
        supervisor.launch("worker")
        until(lambda: all(state.pid for state in supervisor.states()))
        before = {state.name: state.pid for state in supervisor.states()}
        assert sorted(before) == ["worker_0", "worker_1"]
        os.kill(before["worker_0"], signal.SIGKILL)
        until(
            lambda: {state.name: state.pid for state in supervisor.states()}["worker_0"] not in (0, before["worker_0"])
        )
        assert {state.name: state.pid for state in supervisor.states()}["worker_1"] == before["worker_1"]
        # one that is told to stop before it runs its program does not hear it, and is killed only after 40 seconds
        until(lambda: all(state.state == "RUNNING" for state in supervisor.states()))


def test_a_process_that_ends_at_once_is_down(make, output):
    supervisor = make(shell("web", "exit 3"))
    with supervisor.running(output):
        supervisor.launch("web")
        until(lambda: supervisor.states()[0].down)
        assert supervisor.states()[0].program == "web"


def test_everything_stops_in_the_reverse_order_and_each_waits_for_the_one_before(make, output):
    slow = "trap 'sleep 0.3; echo {0} stopped; exit' TERM; echo {0}; while :; do sleep 0.05; done"
    supervisor = make(*(shell(name, slow.format(name)) for name in ("mongod", "worker", "web")))
    with supervisor.running(output):
        for name in ("mongod", "worker", "web"):
            supervisor.launch(name)
        until(lambda: output.getvalue().count(b"\n") == 3)
    assert output.getvalue().split(b"\n")[3:] == [b"web stopped", b"worker stopped", b"mongod stopped", b""]
    assert not supervisor.alive


def test_a_process_that_ignores_sigterm_is_killed_when_its_time_is_over(make, output):
    supervisor = make(shell("web", "trap '' TERM; echo up; while :; do sleep 0.05; done", stop_within=1))
    with supervisor.running(output):
        supervisor.launch("web")
        until(lambda: b"up" in output.getvalue())
        pid = supervisor.states()[0].pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_supervisor_that_is_killed_is_seen_to_be_gone(make, output, tmp_path):
    supervisor = make(shell("web", "sleep 60"))
    with supervisor.running(output):
        pid = tmp_path / "supervisord.pid"
        until(lambda: pid.exists() and pid.read_text() != "")  # it answers before it writes that
        os.kill(int(pid.read_text()), signal.SIGKILL)
        until(lambda: not supervisor.alive)
        assert supervisor.states() == []


def test_a_supervisor_that_cannot_start_says_where_to_look(make, output, tmp_path):
    (tmp_path / "supervisord.log").mkdir()
    supervisor = make(shell("web", "true"))
    with pytest.raises(ConfigurationError, match=r"supervisord.log"), supervisor.running(output):
        pass
