import os
import subprocess
import sys

import pytest

from notify_server.errors import ConfigurationError
from notify_server.processes.data_lock import alone

HOLD = """
import sys
from pathlib import Path
from notify_server.processes.data_lock import alone
with alone(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_holder_is_refused_and_told_which_process_is_the_first(tmp_path):
    first = rf"another `notify-server up` \(process {os.getpid()}\)"
    with alone(tmp_path), pytest.raises(ConfigurationError, match=first), alone(tmp_path):
        pass
    with alone(tmp_path):
        assert (tmp_path / "up.lock").read_text() == f"{os.getpid()}\n"


def test_a_holder_that_is_killed_gives_it_back(tmp_path):
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdin=pipe, stdout=pipe) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(ConfigurationError, match=str(holder.pid)), alone(tmp_path):
            pass
        holder.kill()
        holder.wait()
        with alone(tmp_path):
            assert (tmp_path / "up.lock").read_text() == f"{os.getpid()}\n"
