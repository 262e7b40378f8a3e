import contextlib
import os
import signal
import subprocess
import time

import pytest

from notify_server.processes import leftovers


@pytest.fixture
def start():
    """Starts a shell script with the mark of a data directory."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(data_dir, script: str = "sleep 60", *arguments: str) -> subprocess.Popen[bytes]:
        command = ["/bin/sh", "-c", f"{script} & echo; wait", *arguments]
        environment = os.environ | leftovers.mark(data_dir)
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, process_group=0)
        started.append(process)
        process.stdout.readline()
        return process

    yield begin
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def test_processes_are_found_with_their_children_and_only_those_of_this_directory(tmp_path, start):
    mine, other = start(tmp_path / "data"), start(tmp_path / "data2")
    found = leftovers.find(tmp_path / "data")
    assert mine.pid in found
    assert len(found) == 2
    assert other.pid not in found


def test_all_of_them_are_stopped(tmp_path, start):
    process = start(tmp_path)
    assert leftovers.stop(tmp_path, within=10) == 2
    process.wait()
    assert leftovers.find(tmp_path) == []
    assert leftovers.stop(tmp_path, within=10) == 0


def test_one_that_ignores_sigterm_is_killed_in_the_end(tmp_path, start):
    process = start(tmp_path, "trap '' TERM; sleep 60")
    leftovers.stop(tmp_path, within=0.2)
    assert process.wait() == -9
    assert leftovers.find(tmp_path) == []


def test_the_supervisor_is_stopped_before_the_others_and_mongod_last(tmp_path, start):
    log = tmp_path / "log"
    last_words = "trap 'echo {0} >>" + str(log) + "; exit' TERM; while :; do sleep 0.02; done"
    worker = start(tmp_path, last_words.format("worker"))
    supervisor = start(tmp_path, last_words.format("supervisor"), "supervisor.supervisord")
    leftovers.stop(tmp_path, within=10)
    worker.wait()
    supervisor.wait()
    assert log.read_text().split() == ["supervisor", "worker"]


def test_kill_leaves_nobody(tmp_path, start):
    process = start(tmp_path, "trap '' TERM; sleep 60")
    leftovers.kill(tmp_path)
    assert process.wait() == -9
    while leftovers.find(tmp_path):  # the kernel takes a moment
        time.sleep(0.02)
