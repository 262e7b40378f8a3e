"""A group of 1,000,000 users with one device each: the rate, and whether the worker's memory stays flat."""

from statistics import mean

from scripts.benchmarks.delivery import measure
from scripts.benchmarks.fcm_peer import FcmPeer
from scripts.benchmarks.installation import installation
from scripts.benchmarks.population import fill_group
from scripts.benchmarks.reference import send_each_per_second
from scripts.benchmarks.report import Result

RECIPIENTS = 1_000_000


def run() -> Result:
    """Measure as `delivery` does. The memory: its peak, and its mean in the first and the last third of the time."""
    with FcmPeer() as peer:
        with installation(peer) as running:
            fill_group(running.database, "school", RECIPIENTS)
            found = measure(running, RECIPIENTS)
        third = len(found.memory) // 3
        figures = {
            "recipients_per_second": found.recipients_per_second,
            "worker_cpu_us": found.worker_cpu_us,
            "mongod_cpu_us": found.mongod_cpu_us,
            "worker_rss_mib": max(found.memory) / 2**20,
            "worker_rss_first_third_mib": mean(found.memory[:third]) / 2**20,
            "worker_rss_last_third_mib": mean(found.memory[-third:]) / 2**20,
        }
        return Result("delivery_million", figures, {"send_each_per_second": send_each_per_second(peer)})
