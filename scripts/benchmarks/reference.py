"""The reference: firebase-admin's own send_each, unmodified, against the same stand-in for FCM."""

import time
from contextlib import closing

from notify_server.channels.fcm.transport import open_transport
from notify_server.config import Config
from scripts.benchmarks.connect_proxy import ConnectProxy
from scripts.benchmarks.cores import on_first_core, on_last_core
from scripts.benchmarks.fcm_peer import FcmPeer
from scripts.benchmarks.sending import NOTIFICATION, NOW, batches, environment, send

MESSAGES = 3_000


def send_each_per_second(peer: FcmPeer) -> float:
    """Messages a second, 500 a call, on one core; the proxy that leads the SDK to `peer` is on the other."""
    config = Config(fcm_transport="sdk", fcm_project=peer.project)
    with (
        ConnectProxy(peer.port, on_last_core()) as proxy,
        environment(proxy.environment(peer.ca_file, peer.credentials_file)),
        on_first_core(),
        closing(open_transport(config)) as transport,
    ):
        encoded = transport.encode(NOTIFICATION, NOW)
        send(transport, encoded, batches(500))
        began = time.perf_counter()
        send(transport, encoded, batches(MESSAGES))
        return round(MESSAGES / (time.perf_counter() - began))
