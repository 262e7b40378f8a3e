"""The FCM channel alone: messages a second of the libcurl transport on one core, and of the SDK's own send_each."""

import resource
import threading
import time
from contextlib import closing

from notify_server.channels.fcm.transport import open_transport
from notify_server.config import Config
from scripts.benchmarks.cores import on_first_core
from scripts.benchmarks.fcm_peer import FcmPeer
from scripts.benchmarks.reference import send_each_per_second
from scripts.benchmarks.report import Result
from scripts.benchmarks.sending import NOTIFICATION, NOW, batches, environment, send

MESSAGES = 200_000
_THREADS = 4
_WARM_UP = 2_000


def run() -> Result:
    """Measure; `cpu_us` is this process's processor time for one message, in microseconds."""
    with FcmPeer() as peer:
        return Result("channel", _measure(peer), {"send_each_per_second": send_each_per_second(peer)})


def _measure(peer: FcmPeer) -> dict[str, float]:
    config = Config(fcm_endpoint=peer.endpoint, fcm_ca_file=str(peer.ca_file))
    credential = environment({"GOOGLE_APPLICATION_CREDENTIALS": str(peer.credentials_file)})
    with on_first_core(), credential, closing(open_transport(config)) as transport:
        encoded = transport.encode(NOTIFICATION, NOW)
        send(transport, encoded, batches(_WARM_UP))
        share = batches(MESSAGES // _THREADS)
        senders = [threading.Thread(target=send, args=(transport, encoded, share)) for _ in range(_THREADS)]
        cpu, began = _cpu_seconds(), time.perf_counter()
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        seconds, used = time.perf_counter() - began, _cpu_seconds() - cpu
    return {"messages_per_second": round(MESSAGES / seconds), "cpu_us": round(used / MESSAGES * 1e6, 1)}


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
