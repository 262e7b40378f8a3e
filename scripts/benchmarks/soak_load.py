"""The load of a soak: broadcasts to groups, notifications of one user, receipts, and apps that are installed anew."""

import random
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import count
from threading import Event
from types import TracebackType
from typing import Any, Self

import httpx
from bson import ObjectId

from notify_server.bootstrap import build_services
from scripts.benchmarks.installation import Installation
from scripts.benchmarks.population import fill_group

GROUPS = 20
GROUP = 10_000  # users
RECEIPTS = 50  # a second
_LOOK = 5.0  # seconds between two looks for users who have lost their device
_READS = 0.3  # of the receipts say `read`
_MESSAGE = {"title": "Timetable", "body": "Monday begins at nine.", "data": {"screen": "timetable"}}
_RESEND = {"times": 0}  # the sends are counted: none on purpose comes twice


class SoakLoad:
    """Runs while its context is open. `broadcasts` and `singles` hold the ids of what was accepted."""

    def __init__(self, running: Installation, rate: int, singles: int) -> None:
        """`rate` in recipients a second, of which `singles` are notifications of one user."""
        self.broadcasts: list[str] = []
        self.singles: list[str] = []
        self.receipts = 0
        self._running = running
        self._replaced: set[tuple[str, str]] = set()  # user and device
        self._random = random.Random(1)  # noqa: S311
        self._tokens = build_services(running.config, running.database).user_tokens
        self._stop = Event()
        self._pool = ThreadPoolExecutor(4)
        self._loops: list[Future[None]] = []
        self._steps: list[tuple[float, Callable[[httpx.Client, int], None]]] = [
            (GROUP / (rate - singles), self._broadcast),
            (1 / singles, self._single),
            (1.0, self._report),
            (_LOOK, self._reinstall),
        ]

    def __enter__(self) -> Self:
        self._loops = [self._pool.submit(self._every, period, step) for period, step in self._steps]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._stop.set()
        self._pool.shutdown()
        for loop in self._loops:
            loop.result()

    def __str__(self) -> str:
        return (
            f"{len(self.broadcasts)} broadcasts to {GROUP} users each, {len(self.singles)} notifications of one user, "
            f"{self.receipts} receipts, {len(self._replaced)} apps installed anew"
        )

    def check(self) -> None:
        """Raise what has ended one of the loops, if any."""
        for loop in self._loops:
            if loop.done():
                loop.result()

    def _every(self, period: float, step: Callable[[httpx.Client, int], None]) -> None:
        """Keep the pace over time, whatever a single step takes."""
        with self._running.client() as client:
            began = time.monotonic()
            for number in count():
                if self._stop.wait(max(0.0, began + number * period - time.monotonic())):
                    return
                step(client, number)

    def _broadcast(self, backend: httpx.Client, number: int) -> None:
        payload = {"message": _MESSAGE, "groups": [_group(number % GROUPS)], "resend": _RESEND}
        self.broadcasts.append(self._running.post(backend, payload))

    def _single(self, backend: httpx.Client, number: int) -> None:
        priority = ("normal", "high")[number % 2]
        payload = {"message": _MESSAGE, "users": [self._someone()], "resend": _RESEND, "priority": priority}
        self.singles.append(self._running.post(backend, payload))

    def _report(self, client: httpx.Client, _: int) -> None:
        """Some of those whom FCM has just reached say so, half of them of a broadcast."""
        for recent in (self.broadcasts[-2:-1], self.singles[-RECEIPTS:]):
            wanted = {"_id.n": {"$in": [ObjectId(identity) for identity in recent]}, "status": "sent"}
            for entry in list(self._running.database.registry.find(wanted, {"_id": 1}).limit(RECEIPTS // 2)):
                self._receipt(client, entry["_id"]["u"], str(entry["_id"]["n"]))

    def _receipt(self, client: httpx.Client, user: str, notification: str) -> None:
        status = "read" if self._random.random() < _READS else "received"
        receipt = {"notification_id": notification, "status": status, "at": datetime.now(UTC).isoformat()}
        answer = client.post("/v1/me/receipts", json={"receipts": [receipt]}, headers=self._as(user))
        self.receipts += answer.raise_for_status().json()["accepted"]

    def _reinstall(self, client: httpx.Client, number: int) -> None:
        """Whose only device FCM has called dead installs the app anew."""
        found = self._running.database.devices.find({"active": False}, {"_id": 1})
        dead = {(device["_id"]["u"], device["_id"]["d"]) for device in found} - self._replaced
        for user, _ in dead:
            body = {"platform": "android", "token": f"{user}-{number}".ljust(150, "x")}
            client.put(f"/v1/me/devices/phone-{number}", json=body, headers=self._as(user)).raise_for_status()
        self._replaced |= dead

    def _as(self, user: str) -> dict[str, Any]:
        return {"Authorization": f"Bearer {self._tokens.mint(user)[0]}"}

    def _someone(self) -> str:
        return f"{_group(self._random.randrange(GROUPS))}-{self._random.randrange(GROUP):08d}"


def fill(running: Installation) -> None:
    """Make the groups."""
    for number in range(GROUPS):
        fill_group(running.database, _group(number), GROUP)


def _group(number: int) -> str:
    return f"class-{number:02d}"
