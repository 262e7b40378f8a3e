"""What counting costs delivery: rates while the scheduler counts what came before, and while nobody does, in turns.

Once of broadcasts, and once of notifications of one recipient each with their receipts, of which nothing is alike.
Each turn leaves as much to count as it delivers, so the scheduler mostly has work: a turn without any is no measure,
and another one takes its place.
"""

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import psutil
from bson import ObjectId

from scripts.benchmarks.delivery import WITHIN, measure
from scripts.benchmarks.fcm_peer import FcmPeer
from scripts.benchmarks.installation import Installation, cpu_seconds, installation
from scripts.benchmarks.population import fill_group

RECIPIENTS = 100_000
BRIEF = 4_000  # notifications of one recipient each
_USERS = 80  # who get them
_ROUNDS = 3
_IN_VAIN = 3  # turns in which nothing was counted, before it is given up
_HOLD = 12.0  # seconds until the marks of a broadcast have run out, and the scheduler begins to count it
_MESSAGE = {"title": "Your booking", "body": "Room 12 at nine."}

Turn = Callable[[], float]  # what is delivered a second


def upkeep() -> dict[str, float]:
    """`upkeep_share`: the part of the rate that counting takes; and both rates, in recipients a second."""
    with FcmPeer() as peer, installation(peer) as running:
        fill_group(running.database, "school", RECIPIENTS)
        fill_group(running.database, "friend", _USERS)
        running.start("scheduler")
        [scheduler] = running.processes["scheduler"]
        measure(running, RECIPIENTS)
        time.sleep(_HOLD)
        used = cpu_seconds([scheduler])
        figures = _in_turns(running, scheduler, lambda: measure(running, RECIPIENTS).recipients_per_second)
        figures["scheduler_cpu_us"] = (cpu_seconds([scheduler]) - used) / (2 * _ROUNDS * RECIPIENTS) * 1e6
        scheduler.suspend()
        exchange(running, BRIEF)
        brief = _in_turns(running, scheduler, lambda: exchange(running, BRIEF))
    return figures | {f"brief_{name}": figure for name, figure in brief.items()}


def _in_turns(running: Installation, scheduler: psutil.Process, turn: Turn) -> dict[str, float]:
    rates: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(_ROUNDS):
        scheduler.resume()
        rates[True].append(_counting(running, turn))
        scheduler.suspend()
        rates[False].append(turn())
    scheduler.resume()
    counting, alone = (statistics.median(rates[each]) for each in (True, False))
    return {
        "upkeep_share": 1 - counting / alone,
        "recipients_per_second_counting": counting,
        "recipients_per_second_alone": alone,
    }


def _counting(running: Installation, turn: Turn) -> float:
    """What a turn makes in which something is counted. Raises RuntimeError where nothing is, again and again."""
    for _ in range(_IN_VAIN):
        before = _counted_at(running)
        rate = turn()
        if _counted_at(running) != before:
            return rate
    raise RuntimeError("nothing was counted in a turn: there was nothing to measure")


def _counted_at(running: Installation) -> datetime | None:
    """When anything was counted that had changed."""
    newest = running.database["tallies"].find_one({}, {"at": 1}, sort=[("at", -1)])
    return newest and newest["at"]


def exchange(running: Installation, number: int) -> float:
    """Send so many notifications, each to one user, who reports to have read them; how many a second that makes.

    Marks under which they were entered hold for minutes: they are let run out, as if those had gone by.
    """
    users = [f"friend-{user:08d}" for user in range(_USERS)]
    began = time.perf_counter()
    with running.client() as backend:
        sent: dict[str, list[str]] = {user: [] for user in users}
        for place in range(number):
            user = users[place % _USERS]
            sent[user].append(running.post(backend, {"message": _MESSAGE, "users": [user]}))
        _await_sent(running, [identity for theirs in sent.values() for identity in theirs])
        for user, theirs in sent.items():
            _read(running, backend, user, theirs)
    seconds = time.perf_counter() - began
    running.database["changes"].update_many({}, {"$set": {"hold": 0.0}})
    return number / seconds


def _await_sent(running: Installation, identities: list[str]) -> None:
    these = {"_id.n": {"$in": [ObjectId(identity) for identity in identities]}, "status": "sent"}
    deadline = time.monotonic() + WITHIN
    while running.database.registry.count_documents(these) < len(identities):
        if time.monotonic() > deadline:
            raise TimeoutError("the notifications were not sent in time")
        time.sleep(0.1)


def _read(running: Installation, backend: httpx.Client, user: str, notifications: list[str]) -> None:
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    receipts = [{"notification_id": each, "status": "read", "at": at, "device_id": "phone"} for each in notifications]
    headers = {"Authorization": f"Bearer {running.user_token(user)}"}
    answer = backend.post("/v1/me/receipts", json={"receipts": receipts}, headers=headers).raise_for_status().json()
    if answer != {"accepted": len(notifications), "rejected": []}:
        raise RuntimeError("a receipt was rejected")
