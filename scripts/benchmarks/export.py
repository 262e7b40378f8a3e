"""The export of the registry over HTTP: 1,000,000 entries, half of them of one broadcast, half of brief notifications.

One web process. The client reads as fast as it can, and looks at each line.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from time import perf_counter
from typing import Any

import psutil
from pymongo import WriteConcern

from notify_server.domain.audience import Recipient
from notify_server.domain.notification import Audience, Message, Notification
from notify_server.domain.registry import Event as Move
from notify_server.domain.registry import Note
from notify_server.storage.documents import new_id
from notify_server.storage.notification_document import to_document
from notify_server.storage.registry import Arrivals, Registry
from scripts.benchmarks.fcm_peer import FcmPeer
from scripts.benchmarks.installation import Installation, cpu_seconds, installation
from scripts.benchmarks.report import Result

BROADCAST = 500_000
BRIEF = 5_000
EACH = 100  # recipients of a brief one
_CHUNK = 5_000  # entries of one insert
_LOOK = 0.05  # seconds between two looks at the memory
_MIB = 2**20


def run() -> Result:
    """Entries a second, processor time in µs per entry, memory in MiB."""
    with FcmPeer() as peer, installation(peer, web=1, workers=0) as running:
        _fill(running)
        _download(running, "status=read")  # nothing is: it warms up, and takes no memory
        began, before = perf_counter(), _used(running)
        with _Watched(running.web) as memory:
            entries, size = _download(running)
        seconds = perf_counter() - began
        if entries != BROADCAST + BRIEF * EACH:
            raise RuntimeError(f"{entries} entries came")
        web, mongod = (after - then for after, then in zip(_used(running), before, strict=True))
        figures = {
            "entries_per_second": entries / seconds,
            "web_cpu_us": web / entries * 1e6,
            "mongod_cpu_us": mongod / entries * 1e6,
            "bytes_per_entry": size / entries,
            "web_rss_before_mib": memory.first / _MIB,
            "web_rss_most_mib": memory.most / _MIB,
        }
        return Result("export", figures, {"bare_find_entries_per_second": _bare(running)})


def _fill(running: Installation) -> None:
    """Write the notifications, and their entries, which were sent."""
    now = datetime.now(UTC) - timedelta(days=1)
    fast = running.database.client.get_database(running.database.name, write_concern=WriteConcern(w=1))
    registry = Registry(fast)
    sizes = [BROADCAST, *[EACH] * BRIEF]
    made = [Notification(new_id(now), Message("Timetable"), Audience(groups=("class-101",)), now) for _ in sizes]
    documents = [
        to_document(each) | {"expanded": True, "open": False, "state": "done", "recipients": size}
        for each, size in zip(made, sizes, strict=True)
    ]
    fast["notifications"].insert_many(documents)
    for each, size in zip(made, sizes, strict=True):
        for first in range(0, size, _CHUNK):
            users = [f"user-{number:07d}" for number in range(first, min(first + _CHUNK, size))]
            registry.insert([Arrivals(each.id, "news", [Recipient(user, ("class-101",)) for user in users])], now)
        registry.move_all(Move.SEND, each.id, Note(now, None, "attempt 1: accepted for 1 of 1 devices", 1))


def _download(running: Installation, query: str = "") -> tuple[int, int]:
    """How many entries came, and bytes. Raises RuntimeError unless all did."""
    entries = size = 0
    last: dict[str, Any] = {}
    for line in _lines(running, query):
        size += len(line)
        last = json.loads(line)
        entries += last["kind"] == "entry"
    if not last.get("complete") or last["entries"] != entries:
        raise RuntimeError(f"it was cut off after {entries} entries")
    return entries, size


def _lines(running: Installation, query: str) -> Iterator[bytes]:
    rest = b""
    with running.client() as backend, backend.stream("GET", f"/v1/registry/export?{query}") as answer:
        for piece in answer.raise_for_status().iter_raw():
            *whole, rest = (rest + piece).split(b"\n")
            yield from whole


def _used(running: Installation) -> tuple[float, float]:
    return cpu_seconds(running.web), cpu_seconds([running.mongod])


def _bare(running: Installation) -> float:
    """Entries a second that a client of MongoDB reads in the same order, and does nothing with."""
    began = perf_counter()
    count = sum(1 for _ in running.database["registry"].find({"_id": {"$exists": True}}).sort("_id", 1))
    return count / (perf_counter() - began)


class _Watched:
    """The memory of some processes in all, resident, at first and at most."""

    def __init__(self, processes: list[psutil.Process]) -> None:
        self._processes = processes
        self._done = Event()
        self._thread = Thread(target=self._watch)
        self.first = self.most = self._now()

    def __enter__(self) -> "_Watched":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(_LOOK):
            self.most = max(self.most, self._now())

    def _now(self) -> int:
        return sum(process.memory_info().rss for process in self._processes)
