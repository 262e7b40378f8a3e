"""The Prometheus metrics of every process.

With PROMETHEUS_MULTIPROC_DIR set, all processes of a machine write there and any web process answers for all of
them (prometheus_client, "Multiprocess mode"); `notify-server up` sets it.
"""

import os

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.multiprocess import mark_process_dead

ACCEPTED = Counter("notify_notifications_accepted", "Notifications accepted by POST")
EXPANDED = Counter("notify_recipients_expanded", "Registry entries written by expansion", ["status"])
OUTCOMES = Counter("notify_sends", "Answers of a channel, one per device", ["channel", "outcome", "reason"])
SEND_SECONDS = Histogram(
    "notify_batch_send_seconds",
    "Time from handing a batch to the channel until its last answer",
    ["channel"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
MAIL_EVENTS = Counter("notify_mail_events", "Reports of a mail service, of mails known here or not", ["kind", "mail"])
RECEIPTS = Counter("notify_receipts", "Receipts reported by devices", ["result"])
RESENT = Counter("notify_batches_recalled", "Batches sent again because no device confirmed in time")
EXPIRED = Counter("notify_entries_expired", "Registry entries that expired before they could be sent")
REAPED = Counter("notify_leases_reaped", "Leases of dead owners that ran out")
COUNTED = Counter("notify_statistics_entries_counted", "Registry entries counted for the statistics, recounts included")
COUNTING_SECONDS = Counter("notify_statistics_seconds", "Time spent on counting")
COUNTING_FAILED = Counter("notify_statistics_failures", "Notifications that could not be counted, each time")
COUNTING_LAG = Gauge(
    "notify_statistics_lag_seconds",
    "Age of the oldest change of the registry that is not in the statistics",
    multiprocess_mode="livemostrecent",
)
RETIRED = Counter("notify_notifications_retired", "Notifications removed with their entries because of their age")

CONNECTIONS = Gauge("notify_realtime_connections", "Open sockets of users", multiprocess_mode="livesum")
USERS = Gauge("notify_realtime_users", "Users with an open socket in a process", multiprocess_mode="livesum")
EMITTED = Counter("notify_realtime_events_emitted", "Events handed to open sockets", ["event"])
EMIT_SECONDS = Histogram(
    "notify_realtime_emit_seconds",
    "Time from accepting a notification until it was emitted live",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
)
REPLAYED = Histogram(
    "notify_realtime_replay_notifications",
    "Notifications replayed to a socket that named the last one it saw",
    buckets=(0, 1, 2, 5, 10, 25, 50, 100, 250, 500, 1000),
)
SOCKETS_REFUSED = Counter("notify_realtime_refused", "Connections refused", ["reason"])
SOCKETS_ENDED = Counter("notify_realtime_disconnected", "Connections that this server ended", ["reason"])
THROTTLED = Counter("notify_realtime_events_throttled", "Events of clients refused because they were too many")


def forget(pid: int) -> None:
    """Leave out what a process that has ended said of its present state, where processes gather their metrics."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        mark_process_dead(pid)
