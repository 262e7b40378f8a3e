"""What counting costs delivery: the rate of broadcasts while the scheduler counts those before, and while nobody does.

Both in turns, in one run. Each broadcast leaves as much to count as it delivers, so the scheduler always has work.
"""

import statistics
import time

from scripts.benchmarks.delivery import measure
from scripts.benchmarks.fcm_peer import FcmPeer
from scripts.benchmarks.installation import Installation, cpu_seconds, installation
from scripts.benchmarks.population import fill_group

RECIPIENTS = 100_000
_ROUNDS = 3
_HOLD = 12.0  # seconds until the marks of a broadcast have run out, and the scheduler begins to count it


def upkeep() -> dict[str, float]:
    """`upkeep_share`: the part of the rate that counting takes; and both rates, in recipients a second."""
    with FcmPeer() as peer, installation(peer) as running:
        fill_group(running.database, "school", RECIPIENTS)
        running.start("scheduler")
        [scheduler] = running.processes["scheduler"]
        measure(running, RECIPIENTS)
        time.sleep(_HOLD)
        rates: dict[bool, list[float]] = {True: [], False: []}
        used = cpu_seconds([scheduler])
        for _ in range(_ROUNDS):
            for counting in (True, False):
                (scheduler.resume if counting else scheduler.suspend)()
                rates[counting].append(measure(running, RECIPIENTS).recipients_per_second)
        scheduler.resume()
        _require_counted(running)
        used = cpu_seconds([scheduler]) - used
    counting, alone = (statistics.median(rates[each]) for each in (True, False))
    return {
        "upkeep_share": 1 - counting / alone,
        "recipients_per_second_counting": counting,
        "recipients_per_second_alone": alone,
        "scheduler_cpu_us": used / (2 * _ROUNDS * RECIPIENTS) * 1e6,
    }


def _require_counted(running: Installation) -> None:
    """Raise RuntimeError unless something was counted: else there was nothing to measure."""
    if running.database["tallies"].find_one({}, {"_id": 1}) is None:
        raise RuntimeError("nothing was counted")
