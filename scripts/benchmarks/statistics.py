"""Statistics over HTTP: figures of a year, at 10,000,000 registry entries; and what counting costs delivery.

Two web processes, and questions one after the other, each of another group or user. The answers are whole: totals with
their quantiles, reasons, and a series of 365 days. Filling the registry takes some minutes, and is not measured. mongod
has the cache that it takes by default where it is by itself; the embedded one takes 4 GiB at most.
"""

import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import httpx
import psutil
from bson import Binary

from notify_server.services.uncounted import MOST_MARKS
from scripts.benchmarks.fcm_peer import FcmPeer
from scripts.benchmarks.installation import Installation, cpu_seconds, installation
from scripts.benchmarks.quantile import quantile
from scripts.benchmarks.report import Result
from scripts.benchmarks.upkeep import upkeep
from scripts.filling.counting import count
from scripts.filling.world import World
from scripts.filling.writing import fill, user

ENTRIES = 10_000_000
DAYS = 365
_ASKED = 200  # times each question
_WARM_UP = 10
_PAUSE = 0.02  # seconds between two questions at most

Question = Callable[[], str]


def run() -> Result:
    """Times in milliseconds, processor time in ms per answer."""
    with FcmPeer() as peer, installation(peer, web=2, workers=0) as running:
        _take_memory(running)
        world = World.of(ENTRIES, DAYS)
        fill(running.config, world)
        count(running.config)
        figures = measure(running, world)
    return Result("statistics", figures | upkeep())


def _take_memory(running: Installation) -> None:
    """Half of what this machine has beyond 1 GiB: mongod's default (manual, `storage.wiredTiger.engineConfig`)."""
    size = max(256, (psutil.virtual_memory().total - 2**30) // 2**21)
    configuration = {"wiredTigerEngineRuntimeConfig": f"cache_size={size}MB"}
    running.database.client.admin.command("setParameter", 1, **configuration)


def measure(running: Installation, world: World) -> dict[str, float]:
    """The figures, of a database that is filled and counted."""
    figures: dict[str, float] = {}
    with running.client() as analyst:
        for name, question in _questions(world).items():
            figures |= _asked(running, analyst, name, question)
        _mark_brief(running)
        figures |= _asked(running, analyst, "overview_while_many_are_marked", _questions(world)["overview"])
    return figures


def _mark_brief(running: Installation) -> None:
    """Mark the newest notifications of one recipient, one by one, as late receipts do: as many as are looked at."""
    brief = running.database["notifications"].find({"recipients": 1}, {"_id": 1}).sort("_id", -1).limit(MOST_MARKS)
    names = [document["_id"].binary for document in brief]
    if len(names) < MOST_MARKS:
        raise RuntimeError("there are too few notifications of one recipient")
    marks = [{"ns": Binary(name), "at": datetime.now(UTC), "hold": 1e6} for name in names]
    running.database["changes"].insert_many(marks)


def _questions(world: World) -> dict[str, Question]:
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    year = {"from": (end - timedelta(days=DAYS)).isoformat(), "to": end.isoformat()}
    until_now, weeks = {"from": year["from"]}, {"interval": "week"}
    kathmandu = {**year, "timezone": "Asia/Kathmandu"}

    def path(where: str, asked: dict[str, str]) -> str:
        return f"/v1/statistics{where}?{urlencode(asked)}"

    def any_group() -> str:
        return f"class-{random.randrange(world.classes):05}"  # noqa: S311

    def any_school() -> str:
        return world.school_of(random.randrange(world.people))  # noqa: S311

    def any_user() -> str:
        return user(random.randrange(world.people))  # noqa: S311

    return {
        "group": lambda: path(f"/groups/{any_group()}", year),
        "user": lambda: path(f"/users/{any_user()}", year),
        "overview": lambda: path("", year),
        "community": lambda: path(f"/communities/{any_school()}", year),
        "category": lambda: path("/categories/booking", year),
        "group_kathmandu": lambda: path(f"/groups/{any_group()}", kathmandu),
        "overview_kathmandu": lambda: path("", kathmandu),
        "overview_compared_by_month": lambda: path("", year | {"interval": "month", "compare": "previous"}),
        "top_groups": lambda: path("/top/groups", year),
        "overview_until_now": lambda: path("", until_now),
        "overview_until_now_by_week_kathmandu": lambda: path("", until_now | {"timezone": "Asia/Kathmandu"} | weeks),
        "top_groups_until_now": lambda: path("/top/groups", until_now),
    }


def _asked(running: Installation, analyst: httpx.Client, name: str, question: Question) -> dict[str, float]:
    for _ in range(_WARM_UP):
        analyst.get(question()).raise_for_status()
    before = cpu_seconds(running.web), cpu_seconds([running.mongod])
    times = list(_times(analyst, question))
    used = cpu_seconds(running.web) - before[0], cpu_seconds([running.mongod]) - before[1]
    return {
        f"{name}_p50_ms": quantile(times, 0.5),
        f"{name}_p95_ms": quantile(times, 0.95),
        f"{name}_web_cpu_ms": used[0] / _ASKED * 1000,
        f"{name}_mongod_cpu_ms": used[1] / _ASKED * 1000,
    }


def _times(analyst: httpx.Client, question: Question) -> Iterator[float]:
    for _ in range(_ASKED):
        time.sleep(random.uniform(0, _PAUSE))  # noqa: S311
        asked = question()
        began = time.perf_counter()
        answer = analyst.get(asked)
        yield (time.perf_counter() - began) * 1000
        if not answer.is_success or not answer.json().get("totals", {"recipients": 1})["recipients"]:
            raise RuntimeError(f"{asked}: {answer.status_code} {answer.text[:300]}")
