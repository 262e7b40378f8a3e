"""One gateway: how many events a second it emits, how long one takes from the POST, and what an idle socket costs.

Two rates. `events_per_second` is the gateway's own: it was stopped while the notifications were expanded, and catches
up with them; reading them, and noting who was told, are part of it. `end_to_end_per_second` has the POSTs, the worker
and mongod on the same cores at the same time.
"""

import random
import signal
import time

import httpx

from scripts.benchmarks.fcm_peer import FcmPeer
from scripts.benchmarks.installation import Installation, cpu_seconds, installation
from scripts.benchmarks.population import fill_group
from scripts.benchmarks.quantile import quantile
from scripts.benchmarks.report import Result
from scripts.benchmarks.sockets import Crowd

SOCKETS = 1000
NOTIFICATIONS = 50  # to all of them: they are ready before a stopped gateway counts as dead to its sockets
IDLE_SOCKETS = 5000
PROBES = 300
_WITHIN = 120.0  # seconds
_PAUSE = (0.03, 0.09)  # seconds between two probes, at random
_GROUP = "listener"
_MESSAGE = {"title": "Room changed", "body": "Algebra 101 is in room 7 today", "data": {"room": "7"}}


def run() -> Result:
    """Rates in events a second, times in milliseconds, sizes in KiB; cpu_us: the gateway's processor time an event."""
    with FcmPeer() as peer, installation(peer) as running:
        fill_group(running.database, _GROUP, IDLE_SOCKETS)
        running.start("realtime")
        running.await_realtime()
        with running.client() as backend:
            figures = {"kib_per_connection": _memory(running)}
            crowd = Crowd(running.config.realtime_port)
            crowd.open(_tokens(running, SOCKETS))
            figures |= _latency(backend, crowd) | _rate(running, backend, crowd)
            figures |= _end_to_end(running, backend, crowd)
            crowd.close()
    return Result("realtime", figures)


def _tokens(running: Installation, count: int) -> list[str]:
    return [running.user_token(_user(number)) for number in range(count)]


def _user(number: int) -> str:
    return f"{_GROUP}-{number:08d}"


def _memory(running: Installation) -> float:
    (gateway,) = running.processes["realtime"]
    warm = Crowd(running.config.realtime_port)
    warm.open(_tokens(running, 10))
    before = gateway.memory_info().rss
    crowd = Crowd(running.config.realtime_port)
    crowd.open(_tokens(running, IDLE_SOCKETS))
    time.sleep(0.5)
    grown = gateway.memory_info().rss - before
    warm.close()
    crowd.close()
    time.sleep(2.0)  # until the gateway has seen them go
    return grown / IDLE_SOCKETS / 1024


def _latency(backend: httpx.Client, crowd: Crowd) -> dict[str, float]:
    """From before the POST until the user's socket has the event, in an otherwise idle system."""
    crowd.begin(PROBES, _WITHIN, times=True)
    posted = {}
    for number in range(PROBES):
        time.sleep(random.uniform(*_PAUSE))  # noqa: S311
        body = {"userIds": [_user(number)], "payload": {"n": number}}
        began = time.time()
        posted[backend.post("/api/realtime/internal/notify", json=body).raise_for_status().json()["id"]] = began
    waits = [(at - posted[identity]) * 1000 for identity, at in crowd.end()["seen"]]
    return {"p50_ms": quantile(waits, 0.5), "p99_ms": quantile(waits, 0.99), "worst_ms": max(waits)}


def _rate(running: Installation, backend: httpx.Client, crowd: Crowd) -> dict[str, float]:
    """What the gateway does by itself: it is stopped while everything else is done, and goes on then."""
    (gateway,) = running.processes["realtime"]
    gateway.send_signal(signal.SIGSTOP)
    events = _post_to_all(running, backend)
    _await_announcements(running, events)
    crowd.begin(events, _WITHIN)
    time.sleep(0.5)
    used, began = cpu_seconds([gateway]), time.time()
    mongod = cpu_seconds([running.mongod])
    gateway.send_signal(signal.SIGCONT)
    seen = crowd.end()
    if seen["events"] != events:
        raise RuntimeError(f"{seen['events']} events came, of {events}")
    used = cpu_seconds([gateway]) - used
    seconds = seen["last"] - began
    return {
        "events_per_second": events / seconds,
        "cpu_us": used / events * 1e6,
        "mongod_cpu_us": (cpu_seconds([running.mongod]) - mongod) / events * 1e6,
        "client_cpu_us": seen["cpu"] / events * 1e6,
    }


def _end_to_end(running: Installation, backend: httpx.Client, crowd: Crowd) -> dict[str, float]:
    """From the first POST to the last event."""
    events = SOCKETS * NOTIFICATIONS
    crowd.begin(events, _WITHIN)
    began = time.time()
    _post_to_all(running, backend)
    return {"end_to_end_per_second": events / (crowd.end()["last"] - began)}


def _post_to_all(running: Installation, backend: httpx.Client) -> int:
    users = [_user(number) for number in range(SOCKETS)]
    for _ in range(NOTIFICATIONS):
        running.post(backend, {"message": _MESSAGE, "users": users, "channels": ["realtime"]})
    return SOCKETS * NOTIFICATIONS


def _await_announcements(running: Installation, recipients: int) -> None:
    """Until every recipient's entry is there, and nothing else is under way."""
    until = time.monotonic() + _WITHIN
    conditions = {"status": "pending", "sequence": {"$exists": True}}
    while running.database["registry"].count_documents(conditions) < recipients:
        if time.monotonic() > until:
            raise TimeoutError("the notifications were not expanded")
        time.sleep(0.2)
    time.sleep(0.5)
