import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

PROGRAM = """
from notify_server.processes.signals import until_stopped
stopped = until_stopped()
print("ready", flush=True)
stopped.wait()
print("stopping", flush=True)
import threading
threading.Event().wait()
"""

# A signal comes while the main thread is in the midst of the event's own code, again and again.
RACE = """
import os, signal, threading
from notify_server.processes.signals import until_stopped
for _ in range(300):
    stopped = until_stopped()
    threading.Timer(0.001, os.kill, (os.getpid(), signal.SIGTERM)).start()
    while not stopped.wait(0):
        pass
print("never stuck", flush=True)
"""

# The main thread takes no signals: the kernel hands them to the other one.
ELSEWHERE = """
import signal, threading
from notify_server.processes.signals import await_stop, until_stopped
stopped = until_stopped()
threading.Thread(target=threading.Event().wait, daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
print("ready", flush=True)
await_stop(stopped)
print("stopping", flush=True)
"""


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    """A process that waits for its first signal, and would then work for ever."""
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as process:
        assert line(process) == "ready"
        yield process
        process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_lets_the_process_finish_and_a_second_one_kills_it(process, number):
    process.send_signal(number)
    assert line(process) == "stopping"
    assert process.poll() is None
    process.send_signal(number)
    assert process.wait() == 128 + number


def test_the_second_signal_need_not_be_the_same(process):
    process.send_signal(signal.SIGINT)
    assert line(process) == "stopping"
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 128 + signal.SIGTERM


def test_a_signal_in_the_midst_of_a_wait_does_not_wait_for_itself():
    ended = subprocess.run([sys.executable, "-c", RACE], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout == "never stuck\n"


def test_a_signal_that_another_thread_gets_is_noticed_too():
    with subprocess.Popen([sys.executable, "-c", ELSEWHERE], stdout=subprocess.PIPE, text=True) as process:
        assert line(process) == "ready"
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(20) == 0
        finally:
            process.kill()
        assert line(process) == "stopping"
