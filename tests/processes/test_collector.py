import subprocess
import sys

_PROBE = """
import gc
from notify_server.processes.collector import spare_the_collector

class Knot:
    pass

before = gc.get_freeze_count()
spare_the_collector()
print(before, gc.get_freeze_count() > 1000, gc.get_threshold()[0] > 10_000)
for _ in range(200_000):
    knot = Knot()
    knot.itself = knot
print(sum(isinstance(each, Knot) for each in gc.get_objects()) < 100_000)
"""


def test_what_there_is_is_left_alone_and_new_cycles_go_in_time() -> None:
    shown = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["0", "True", "True", "True"]
