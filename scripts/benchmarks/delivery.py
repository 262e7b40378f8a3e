"""From one POST until every entry is `sent`: a group of 100,000 users with one device each, by one worker and by two.

The pace is off: what is measured is what the machine can do, not FCM's quota. And once more by one worker with an FCM
that takes three seconds for one answer in a thousand, up to the last of these.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

from bson import ObjectId

from notify_server.domain.registry import Status
from scripts.benchmarks.fcm_peer import FcmPeer, Late
from scripts.benchmarks.installation import Installation, cpu_seconds, installation
from scripts.benchmarks.population import fill_group
from scripts.benchmarks.reference import send_each_per_second
from scripts.benchmarks.report import Result

RECIPIENTS = 100_000
_LATE = Late(0.001, 3.0)
WITHIN = 600.0  # seconds for one notification
_LOOK = 0.05  # seconds between two looks at the memory
_PAYLOAD = {
    "message": {"title": "Timetable", "body": "Monday begins at nine.", "data": {"screen": "timetable"}},
    "groups": ["school"],
    "category": "timetable",
}


@dataclass(frozen=True, slots=True)
class Broadcast:
    """What one notification to the group took: processor time in µs per recipient, memory in bytes over time."""

    recipients_per_second: float
    worker_cpu_us: float
    mongod_cpu_us: float
    memory: list[int]


def run() -> Result:
    """Measure rate, processor time per recipient of workers and mongod, and a worker's peak memory."""
    with FcmPeer() as peer:
        with installation(peer) as running:
            fill_group(running.database, "school", RECIPIENTS)
            one = measure(running, RECIPIENTS)
            running.start("worker")
            await_workers(running, 2)
            two = measure(running, RECIPIENTS)
        reference = {"send_each_per_second": send_each_per_second(peer)}
    with FcmPeer(late=_LATE) as peer, installation(peer) as running:
        fill_group(running.database, "school", RECIPIENTS)
        late = measure(running, RECIPIENTS)
    figures = {
        "recipients_per_second": one.recipients_per_second,
        "worker_cpu_us": one.worker_cpu_us,
        "mongod_cpu_us": one.mongod_cpu_us,
        "worker_rss_mib": max(one.memory) / 2**20,
        "recipients_per_second_two_workers": two.recipients_per_second,
        "worker_cpu_us_two_workers": two.worker_cpu_us,
        "mongod_cpu_us_two_workers": two.mongod_cpu_us,
        "recipients_per_second_late_answers": late.recipients_per_second,
        "worker_cpu_us_late_answers": late.worker_cpu_us,
        "mongod_cpu_us_late_answers": late.mongod_cpu_us,
    }
    return Result("delivery", figures, reference)


def measure(running: Installation, recipients: int, payload: Mapping[str, Any] = _PAYLOAD) -> Broadcast:
    """Send one notification to a group of so many. Raises RuntimeError unless everybody is sent to."""
    with _memory(running) as memory, running.client() as backend:
        before = cpu_seconds(running.workers), cpu_seconds([running.mongod])
        began = time.perf_counter()
        identity = running.post(backend, payload)
        await_done(running, identity)
        seconds = time.perf_counter() - began
        used = cpu_seconds(running.workers) - before[0], cpu_seconds([running.mongod]) - before[1]
        counts = backend.get(f"/v1/notifications/{identity}").raise_for_status().json()["counts"]
    if counts[Status.SENT] != recipients:
        raise RuntimeError(f"not everyone was sent to: {counts}")
    return Broadcast(recipients / seconds, used[0] / recipients * 1e6, used[1] / recipients * 1e6, memory)


def await_workers(running: Installation, number: int) -> None:
    """Wait until that many workers have reported."""
    deadline = time.monotonic() + WITHIN
    while running.database.workers.count_documents({}) < number:
        if time.monotonic() > deadline:
            raise TimeoutError("the workers did not report in time")
        time.sleep(_LOOK)


def await_done(running: Installation, identity: str) -> None:
    """Wait until the notification is done."""
    deadline = time.monotonic() + WITHIN
    wanted = {"_id": ObjectId(identity), "state": "done"}
    while running.database.notifications.find_one(wanted, {"_id": 1}) is None:
        if time.monotonic() > deadline:
            raise TimeoutError("the notification was not done in time")
        time.sleep(0.02)


@contextmanager
def _memory(running: Installation) -> Iterator[list[int]]:
    """The resident set of the largest worker, in bytes, looked at 20 times a second."""
    stop, seen = Event(), [0]

    def watch() -> None:
        while not stop.wait(_LOOK):
            seen.append(max(worker.memory_info().rss for worker in running.workers))

    watcher = Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        stop.set()
        watcher.join()
