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

from bson import ObjectId

from notify_server.bootstrap import build_services
from scripts.benchmarks.installation import Installation
from scripts.benchmarks.keep_alive import KeepAlive
from scripts.benchmarks.population import fill_group

GROUPS = 20
GROUP = 10_000  # users
RECEIPTS = 50  # a second
_LOOK = 5.0  # seconds between two looks for users who have lost their device
_LOOKS = 12  # until every notification has been looked at once more: some are sent to a device late
_RECENT = 10  # seconds of notifications that each look includes
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
        self._replaced: set[tuple[str, str]] = set()  # notification that found the device dead, and user
        self._random = random.Random(1)  # noqa: S311
        self._tokens = build_services(running.config, running.database).user_tokens
        self._stop = Event()
        self._pool = ThreadPoolExecutor(4)
        self._loops: list[Future[None]] = []
        self._steps: list[tuple[float, Callable[[KeepAlive, int], None]]] = [
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

    def _every(self, period: float, step: Callable[[KeepAlive, int], None]) -> None:
        """Keep the pace over time, whatever a single step takes."""
        with KeepAlive(self._running.config.port) as client:
            began = time.monotonic()
            for number in count():
                if self._stop.wait(max(0.0, began + number * period - time.monotonic())):
                    return
                step(client, number)

    def _broadcast(self, backend: KeepAlive, number: int) -> None:
        self.broadcasts.append(self._post(backend, {"groups": [_group(number % GROUPS)]}))

    def _single(self, backend: KeepAlive, number: int) -> None:
        priority = ("normal", "high")[number % 2]
        self.singles.append(self._post(backend, {"users": [self._someone()], "priority": priority}))

    def _post(self, backend: KeepAlive, payload: dict[str, Any]) -> str:
        whole = {"message": _MESSAGE, "resend": _RESEND} | payload
        return str(backend.call("POST", "/v1/notifications", self._running.token, whole)["id"])

    def _report(self, client: KeepAlive, _: int) -> None:
        """Some of those whom FCM has just reached say so, half of them of a broadcast."""
        for recent in (self.broadcasts[-2:-1], self.singles[-RECEIPTS:]):
            wanted = {"_id.n": {"$in": [ObjectId(identity) for identity in recent]}, "status": "sent"}
            for entry in list(self._running.database.registry.find(wanted, {"_id": 1}).limit(RECEIPTS // 2)):
                self._receipt(client, entry["_id"]["u"], str(entry["_id"]["n"]))

    def _receipt(self, client: KeepAlive, user: str, notification: str) -> None:
        status = "read" if self._random.random() < _READS else "received"
        receipt = {"notification_id": notification, "status": status, "at": datetime.now(UTC).isoformat()}
        answer = client.call("POST", "/v1/me/receipts", self._tokens.mint(user)[0], {"receipts": [receipt]})
        self.receipts += answer["accepted"]

    def _reinstall(self, client: KeepAlive, number: int) -> None:
        """Whose only device FCM has called dead installs the app anew."""
        looked_at = [
            identity
            for sent, (period, _) in zip((self.broadcasts, self.singles), self._steps[:2], strict=True)
            for identity in {*sent[-int(_RECENT / period) - 1 :], *sent[number % _LOOKS :: _LOOKS]}
        ]
        wanted = {"_id.n": {"$in": [ObjectId(identity) for identity in looked_at]}, "status": "failed"}
        found = self._running.database.registry.find(wanted, {"_id": 1})
        dead = {(str(entry["_id"]["n"]), entry["_id"]["u"]) for entry in found} - self._replaced
        for _, user in dead:
            body = {"platform": "android", "token": f"{user}-{number}".ljust(150, "x")}
            client.call("PUT", f"/v1/me/devices/phone-{number}", self._tokens.mint(user)[0], body)
        self._replaced |= dead

    def _someone(self) -> str:
        return f"{_group(self._random.randrange(GROUPS))}-{self._random.randrange(GROUP):08d}"


def fill(running: Installation) -> None:
    """Make the groups."""
    for number in range(GROUPS):
        fill_group(running.database, _group(number), GROUP)


def _group(number: int) -> str:
    return f"class-{number:02d}"
