"""Durable notifications a second through two web processes, over 32 keep-alive connections.

Nothing but acceptance is measured: no worker runs. Each is stored with majority write concern before it is answered.
"""

import copy
import json
import time
from pathlib import Path
from threading import Thread

from bson import ObjectId

from scripts.benchmarks.fcm_peer import FcmPeer
from scripts.benchmarks.installation import Installation, cpu_seconds, installation
from scripts.benchmarks.load import Load, repeat
from scripts.benchmarks.quantile import quantile
from scripts.benchmarks.report import Result

CONNECTIONS = 32
SECONDS = 20.0
_WARM_UP = 3.0  # seconds
_BARE = 5.0  # seconds
_BODY = Path(__file__).parents[2] / "examples" / "booking.json"


def run() -> Result:
    """Rate and times of the answers; processor time per notification of the web processes, mongod and the client."""
    with FcmPeer() as peer, installation(peer, web=2, workers=0) as running:
        _load(running, _WARM_UP)
        before = cpu_seconds(running.web), cpu_seconds([running.mongod]), _stored(running)
        found = _load(running, SECONDS)
        web, mongod = cpu_seconds(running.web) - before[0], cpu_seconds([running.mongod]) - before[1]
        if (stored := _stored(running) - before[2]) < found.answers:
            raise RuntimeError(f"{found.answers} were answered, and {stored} stored")
        figures = {
            "notifications_per_second": found.answers / found.seconds,
            "p50_ms": quantile(found.times, 0.5) * 1000,
            "p99_ms": quantile(found.times, 0.99) * 1000,
            "web_cpu_us": web / found.answers * 1e6,
            "mongod_cpu_us": mongod / found.answers * 1e6,
            "client_cpu_us": found.cpu / found.answers * 1e6,
        }
        return Result("accept", figures, {"bare_inserts_per_second": _bare_inserts_per_second(running)})


def _load(running: Installation, seconds: float) -> Load:
    body = json.dumps(json.loads(_BODY.read_text()))
    head = (
        f"POST /v1/notifications HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {running.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return repeat(running.config.port, f"{head}{body}".encode(), 202, CONNECTIONS, seconds)


def _stored(running: Installation) -> int:
    return running.database.notifications.count_documents({})


def _bare_inserts_per_second(running: Installation) -> float:
    """The same documents by insert_one with majority write concern, from as many threads of one process."""
    document = running.database.notifications.find_one()
    reference = running.database["reference"]
    until, inserted = time.perf_counter() + _BARE, [0] * CONNECTIONS

    def insert(thread: int) -> None:
        while time.perf_counter() < until:
            reference.insert_one({**copy.deepcopy(document), "_id": ObjectId()})
            inserted[thread] += 1

    threads = [Thread(target=insert, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(inserted) / _BARE
