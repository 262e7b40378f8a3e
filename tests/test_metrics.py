import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import os
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from notify_server import metrics

def shown():
    everyone = CollectorRegistry()
    MultiProcessCollector(everyone)
    return [line for line in generate_latest(everyone).decode().splitlines() if not line.startswith("#")]

metrics.CONNECTIONS.set(3)
metrics.THROTTLED.inc()
print("notify_realtime_connections 3.0" in shown())
metrics.forget(os.getpid())
print(any(line.startswith("notify_realtime_connections") for line in shown()))
print("notify_realtime_events_throttled_total 1.0" in shown())
"""


def test_what_a_process_has_is_left_out_when_it_has_ended_and_what_it_did_is_kept(tmp_path: Path) -> None:
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False", "True"]
