"""The devices' side: receipts in batches of 50, pages of a large inbox, and marking all of it as read.

Two web processes. The registry holds 1,000,000 entries of 20,000 users, and 10,000 of one more, all of them unread. No
worker runs. Each receipt has a time of its own, and names an entry that moves by it.
"""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from threading import Lock, Thread

from bson import ObjectId
from pymongo import UpdateOne

from scripts.benchmarks.device_house import EACH, NOTIFICATIONS, READER, USERS, House, Phone
from scripts.benchmarks.fcm_peer import FcmPeer
from scripts.benchmarks.installation import Installation, cpu_seconds, installation
from scripts.benchmarks.quantile import quantile
from scripts.benchmarks.report import Result

CONNECTIONS = 8
SECONDS = 15.0
_WARM_UP = 3.0  # seconds
_PAGE = 50  # items
_WALKS = 3  # through the whole inbox
_PAUSE = (0.0, 0.04)  # seconds between two pages, at random
_BARE = 3.0  # seconds


def run() -> Result:
    """Rates a second, times in milliseconds, processor time in µs per receipt."""
    with FcmPeer() as peer, installation(peer, web=2, workers=0) as running:
        house = House(running)
        figures = _receipts(house) | _inbox(house)
        reference = {
            "bare_updates_per_second": _bare_updates_per_second(running),
            "healthz_p99_ms": _times(Phone(running, READER), ["/healthz"] * 300)["p99"],
        }
        return Result("device", figures, reference)


@dataclass
class _Reports:
    """What devices have to report: of every user first that all was received, then that all was read."""

    house: House
    taken: int = 0
    _numbers: Iterator[int] = field(default_factory=count)
    _lock: Lock = field(default_factory=Lock)

    def send(self, phone: Phone) -> None:
        """One request. Raises RuntimeError unless all of it is accepted."""
        with self._lock:
            number = next(self._numbers)
        repeats, user = divmod(number, USERS)
        phone.log_in(f"user-{user:05d}")
        began = time.time() - EACH
        receipts = [
            {
                "notification_id": notification,
                "status": ("received", "read")[repeats],
                "at": datetime.fromtimestamp(began + position, UTC).isoformat(timespec="milliseconds"),
                "device_id": "phone",
            }
            for position, notification in enumerate(self.house.of_user(user))
        ]
        if phone.ask("POST", "/v1/me/receipts", {"receipts": receipts}) != {"accepted": EACH, "rejected": []}:
            raise RuntimeError("a receipt was rejected")
        with self._lock:
            self.taken += EACH


def _receipts(house: House) -> dict[str, float]:
    running, reports = house.running, _Reports(house)
    _report(reports, _WARM_UP)
    before = cpu_seconds(running.web), cpu_seconds([running.mongod]), time.process_time(), reports.taken
    seconds = _report(reports, SECONDS)
    taken = reports.taken - before[3]
    used = cpu_seconds(running.web) - before[0], cpu_seconds([running.mongod]) - before[1]
    client = time.process_time() - before[2]
    moved = running.database["registry"].count_documents({"_id.n": {"$exists": True}, "received_at": {"$ne": None}})
    if moved != min(reports.taken, USERS * EACH):
        raise RuntimeError(f"{reports.taken} receipts were taken, and {moved} entries have moved")
    return {
        "receipts_per_second": taken / seconds,
        "web_cpu_us": used[0] / taken * 1e6,
        "mongod_cpu_us": used[1] / taken * 1e6,
        "client_cpu_us": client / taken * 1e6,
    }


def _report(reports: _Reports, seconds: float) -> float:
    """Let all connections report for so long; how long it took."""
    began, errors = time.perf_counter(), list[BaseException]()

    def go() -> None:
        try:
            phone = Phone(reports.house.running, READER)
            while time.perf_counter() - began < seconds:
                reports.send(phone)
        except (RuntimeError, OSError) as error:
            errors.append(error)

    threads = [Thread(target=go) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return time.perf_counter() - began


def _inbox(house: House) -> dict[str, float]:
    phone = Phone(house.running, READER)
    pages = _walk(phone)
    narrowed = _times(phone, [f"/v1/me/notifications?limit={_PAGE}&group=choir&category=category-3"] * 200)
    counts = _times(phone, ["/v1/me/notifications/counts"] * 100)
    began = time.perf_counter()
    updated = phone.ask("POST", "/v1/me/notifications/read", {"all": True})["updated"]
    mark_all = time.perf_counter() - began
    if updated != NOTIFICATIONS:
        raise RuntimeError(f"{updated} were marked as read of {NOTIFICATIONS}")
    return {
        "inbox_p50_ms": quantile(pages, 0.5) * 1000,
        "inbox_p99_ms": quantile(pages, 0.99) * 1000,
        "inbox_of_group_and_category_p99_ms": narrowed["p99"],
        "counts_p50_ms": counts["p50"],
        "counts_p99_ms": counts["p99"],
        "mark_all_ms": mark_all * 1000,
        "inbox_all_read_p99_ms": _times(phone, [f"/v1/me/notifications?limit={_PAGE}"] * 200)["p99"],
    }


def _walk(phone: Phone) -> list[float]:
    """Seconds for each page, from the newest entry to the oldest. Raises RuntimeError unless all are shown once."""
    times = []
    for _ in range(_WALKS):
        shown, path = set[str](), f"/v1/me/notifications?limit={_PAGE}"
        cursor: str | None = ""
        while cursor is not None:
            time.sleep(random.uniform(*_PAUSE))  # noqa: S311
            began = time.perf_counter()
            page = phone.ask("GET", f"{path}&cursor={cursor}" if cursor else path)
            times.append(time.perf_counter() - began)
            shown.update(item["id"] for item in page["notifications"])
            cursor = page["next"]
        if len(shown) != NOTIFICATIONS or page["unread"] != NOTIFICATIONS:
            raise RuntimeError(f"{len(shown)} were shown of {NOTIFICATIONS}")
    return times


def _times(phone: Phone, paths: list[str]) -> dict[str, float]:
    """Milliseconds of these requests, one after the other with a pause."""
    times = []
    for path in paths:
        time.sleep(random.uniform(*_PAUSE))  # noqa: S311
        began = time.perf_counter()
        phone.ask("GET", path)
        times.append((time.perf_counter() - began) * 1000)
    return {"p50": quantile(times, 0.5), "p99": quantile(times, 0.99)}


def _bare_updates_per_second(running: Installation) -> float:
    """Updates by `_id` in bulks of EACH with majority write concern, from as many threads of one process."""
    reference = running.database["reference"]
    ids = [ObjectId() for _ in range(CONNECTIONS * EACH)]
    reference.insert_many([{"_id": identity, "read": 0, "history": []} for identity in ids])
    until, done = time.perf_counter() + _BARE, [0] * CONNECTIONS

    def update(thread: int) -> None:
        ours = ids[thread * EACH : (thread + 1) * EACH]
        while time.perf_counter() < until:
            reference.bulk_write([UpdateOne({"_id": identity}, {"$inc": {"read": 1}}) for identity in ours])
            done[thread] += EACH

    threads = [Thread(target=update, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / _BARE
