"""The FCM channel alone: messages a second of the libcurl transport on one core, and of the SDK's own send_each.

FCM is not next door: it is measured once more with a simulator whose answers take 100 ms.
"""

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
_FAR = 50_000  # messages
_LATENCY = {"min": 0.1, "max": 0.1}  # seconds
_THREADS = 4
_WARM_UP = 2_000


def run() -> Result:
    """Measure; `cpu_us` is this process's processor time for one message, in microseconds."""
    with FcmPeer() as peer:
        figures = _measure(peer, MESSAGES)
        reference = {"send_each_per_second": send_each_per_second(peer)}
    with FcmPeer(recording=True) as far:
        far.behave(latency=_LATENCY)
        figures |= {f"{name}_at_100_ms": figure for name, figure in _measure(far, _FAR).items()}
    return Result("channel", figures, reference)


def _measure(peer: FcmPeer, messages: int) -> dict[str, float]:
    config = Config(fcm_endpoint=peer.endpoint, fcm_ca_file=str(peer.ca_file))
    credential = environment({"GOOGLE_APPLICATION_CREDENTIALS": str(peer.credentials_file)})
    with on_first_core(), credential, closing(open_transport(config)) as transport:
        encoded = transport.encode(NOTIFICATION, NOW)
        send(transport, encoded, batches(_WARM_UP))
        share = batches(messages // _THREADS)
        senders = [threading.Thread(target=send, args=(transport, encoded, share)) for _ in range(_THREADS)]
        cpu, began = _cpu_seconds(), time.perf_counter()
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        seconds, used = time.perf_counter() - began, _cpu_seconds() - cpu
    return {"messages_per_second": round(messages / seconds), "cpu_us": round(used / messages * 1e6, 1)}


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
