"""From POST until FCM has the request, for one user with one device: in an idle system, and behind a broadcast.

FCM is the simulator here, which notes when each request came; both times are of the same clock. The broadcast is one
notification to a group of 1,000,000, at the default pace: the ramp to 10,000 messages/s over a minute.
"""

import random
import ssl
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import count, cycle, islice

import httpx

from scripts.benchmarks.fcm_peer import FcmPeer
from scripts.benchmarks.installation import Installation, installation
from scripts.benchmarks.population import fill_group
from scripts.benchmarks.quantile import quantile
from scripts.benchmarks.report import Result

IDLE = 400  # notifications
BEHIND = 80  # notifications
CROWD = 1_000_000  # recipients of the broadcast
_PROBE = "probe"
_IDLE_PAUSE = (0.03, 0.09)  # seconds between two notifications, at random
_BEHIND_PAUSE = (0.6, 1.2)
_HEAD_START = 2.0  # seconds that the broadcast has, at least
_ARRIVE_WITHIN = 30.0  # seconds
_WARM_UP = 20
_BARE = 300  # of each reference
_MESSAGE = {"title": "Your code", "body": "123456"}


def run() -> Result:
    """Times in milliseconds; `behind_broadcast_ms` is the worst of all, over both priorities."""
    with FcmPeer(recording=True) as peer, installation(peer, paced=True) as running:
        fill_group(running.database, _PROBE, _WARM_UP + IDLE + BEHIND)
        fill_group(running.database, "crowd", CROWD)
        with running.client() as backend:
            users = (f"{_PROBE}-{number:08d}" for number in count())
            _probe(running, backend, islice(users, _WARM_UP), _IDLE_PAUSE)
            posted = _probe(running, backend, islice(users, IDLE), _IDLE_PAUSE)
            idle = _waits(peer, posted)
            reference = _reference(peer, running)
            crowd = running.post(backend, {"message": _MESSAGE, "groups": ["crowd"]})
            time.sleep(_HEAD_START)
            posted = _probe(running, backend, islice(users, BEHIND), _BEHIND_PAUSE)
            behind = _waits(peer, posted)
            shown = backend.get(f"/v1/notifications/{crowd}").raise_for_status().json()
    if shown["state"] == "done":
        raise RuntimeError("the broadcast was over before the last notification behind it")
    figures = {
        "p50_ms": quantile(idle, 0.5),
        "p99_ms": quantile(idle, 0.99),
        "behind_broadcast_ms": max(behind),
        "behind_broadcast_p50_ms": quantile(behind, 0.5),
        "behind_broadcast_notifications": len(behind),
        "broadcast_recipients_sent": shown["counts"]["sent"],
    }
    return Result("latency", figures, reference)


def _probe(
    running: Installation, backend: httpx.Client, users: Iterable[str], pause: tuple[float, float]
) -> dict[str, float]:
    """Notify one user after the other, by normal and high priority in turn; when each was posted, by its id."""
    posted = {}
    for user, priority in zip(users, cycle(("normal", "high"))):
        time.sleep(random.uniform(*pause))  # noqa: S311
        payload = {"message": _MESSAGE, "users": [user], "priority": priority}
        began = time.time()
        posted[running.post(backend, payload)] = began
    return posted


def _waits(peer: FcmPeer, posted: dict[str, float]) -> list[float]:
    """Milliseconds from each POST to its request at FCM. Raises TimeoutError where one never came."""
    deadline = time.monotonic() + _ARRIVE_WITHIN
    while time.monotonic() < deadline:
        came: dict[str, float] = {}
        for row in peer.messages(_PROBE):
            came.setdefault(row["message"]["data"]["notification_id"], datetime.fromisoformat(row["at"]).timestamp())
        if posted.keys() <= came.keys():
            return [(came[identity] - began) * 1000 for identity, began in posted.items()]
        time.sleep(0.2)
    raise TimeoutError("a notification did not reach FCM")


def _reference(peer: FcmPeer, running: Installation) -> dict[str, float]:
    """The least that a POST to FCM and a durable insert take, one after the other, in milliseconds."""
    documents = running.database["reference"]
    url = f"{peer.endpoint}/v1/projects/{peer.project}/messages:send"
    with httpx.Client(http2=True, verify=ssl.create_default_context(cafile=str(peer.ca_file))) as client:
        posts = [_milliseconds(lambda: client.post(url, json={"message": {"token": "bare"}})) for _ in range(_BARE)]
    inserts = [_milliseconds(lambda: documents.insert_one({"message": _MESSAGE})) for _ in range(_BARE)]
    return {"bare_post_p50_ms": quantile(posts, 0.5), "bare_insert_p50_ms": quantile(inserts, 0.5)}


def _milliseconds(step: Callable[[], object]) -> float:
    time.sleep(random.uniform(0.0, 0.01))  # noqa: S311
    began = time.perf_counter()
    step()
    return (time.perf_counter() - began) * 1000
