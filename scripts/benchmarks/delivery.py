"""From one POST until every entry is `sent`: a group of 100,000 users with one device each."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from notify_server.domain.registry import Status
from scripts.benchmarks.fcm_peer import FcmPeer
from scripts.benchmarks.installation import Installation, cpu_seconds, installation
from scripts.benchmarks.reference import send_each_per_second
from scripts.benchmarks.report import Result

RECIPIENTS = 100_000
_WITHIN = 300.0  # seconds
_PAYLOAD = {
    "message": {"title": "Timetable", "body": "Monday begins at nine.", "data": {"screen": "timetable"}},
    "groups": ["school"],
    "category": "timetable",
}


def run() -> Result:
    """Measure rate, processor time per recipient of worker and mongod, and the worker's peak memory."""
    with FcmPeer() as peer:
        with installation(peer) as running:
            running.fill_group("school", RECIPIENTS)
            figures = _measure(running)
        return Result("delivery", figures, {"send_each_per_second": send_each_per_second(peer)})


def _measure(running: Installation) -> dict[str, float]:
    before = cpu_seconds(running.workers), cpu_seconds([running.mongod])
    with _peak_memory(running) as peak, running.client() as backend:
        began = time.perf_counter()
        identity = backend.post("/v1/notifications", json=_PAYLOAD).raise_for_status().json()["id"]
        _await_done(running, began)
        seconds = time.perf_counter() - began
        counts = backend.get(f"/v1/notifications/{identity}").raise_for_status().json()["counts"]
    used = cpu_seconds(running.workers) - before[0], cpu_seconds([running.mongod]) - before[1]
    if counts[Status.SENT] != RECIPIENTS:
        raise RuntimeError(f"not everyone was sent to: {counts}")
    return {
        "recipients_per_second": RECIPIENTS / seconds,
        "worker_cpu_us": used[0] / RECIPIENTS * 1e6,
        "mongod_cpu_us": used[1] / RECIPIENTS * 1e6,
        "worker_rss_mib": peak[0] / 2**20,
    }


def _await_done(running: Installation, began: float) -> None:
    while running.database.notifications.find_one({}, {"state": 1})["state"] != "done":
        if time.perf_counter() - began > _WITHIN:
            raise TimeoutError("the notification was not done in time")
        time.sleep(0.02)


@contextmanager
def _peak_memory(running: Installation) -> Iterator[list[int]]:
    """The largest resident set of any worker so far, in bytes, looked at 20 times a second."""
    stop, peak = Event(), [0]

    def watch() -> None:
        while not stop.wait(0.05):
            peak[0] = max(peak[0], *(worker.memory_info().rss for worker in running.workers))

    watcher = Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        stop.set()
        watcher.join()
