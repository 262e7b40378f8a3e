"""What a soak looks at every few seconds, as a table, and whether it stayed flat."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from statistics import linear_regression, mean

import httpx

from scripts.benchmarks.fcm_peer import FcmPeer
from scripts.benchmarks.installation import Installation, cpu_seconds

PERIOD = 5.0  # seconds
AGE_SLOPE = 1.0  # seconds of age that may come in a minute
MEMORY_GROWTH = 1.10  # of the mean in the last third over the mean in the middle third
_AGE = "notify_queue_age_seconds "
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Sample:
    """One look. Ages in seconds, memory in MiB and processor time in seconds by kind of process.

    `queue_age` is of the oldest due batch, as the metric says; `expansion_age` of the oldest notification that still
    lacks entries, which no batch shows.
    """

    at: float
    queue_age: float
    expansion_age: float
    accepted: int
    requests: int
    memory: dict[str, float]
    cpu: dict[str, float]


class Sampler:
    """Looks at an installation and its FCM."""

    def __init__(self, running: Installation, peer: FcmPeer) -> None:
        self._peer = peer
        self._notifications = running.database.notifications
        self._metrics = f"http://127.0.0.1:{running.config.port}/metrics"
        self._processes = {
            "web": running.web,
            "worker": running.workers,
            "scheduler": running.processes["scheduler"],
            "mongod": [running.mongod],
        }
        self._began = time.monotonic()

    def look(self) -> Sample:
        """How it stands now."""
        counts = self._peer.counts()
        lines = httpx.get(self._metrics).raise_for_status().text.splitlines()
        (age,) = (line.removeprefix(_AGE) for line in lines if line.startswith(_AGE))
        return Sample(
            at=time.monotonic() - self._began,
            queue_age=float(age),
            expansion_age=self._expansion_age(),
            accepted=counts["accepted"],
            requests=counts["requests"],
            memory={kind: sum(p.memory_info().rss for p in found) / _MIB for kind, found in self._processes.items()},
            cpu={kind: cpu_seconds(found) for kind, found in self._processes.items()},
        )

    def _expansion_age(self) -> float:
        oldest = self._notifications.find_one({"expanded": False}, {"created_at": 1}, sort=[("_id", 1)])
        return (datetime.now(UTC) - oldest["created_at"]).total_seconds() if oldest else 0.0


def as_table(samples: Sequence[Sample]) -> str:
    """A line a sample: rates since the one before, and each kind's memory in MiB and share of a core in per cent."""
    kinds = list(samples[0].memory)
    rows = [
        f"{'s':>6}{'queue s':>9}{'expand s':>9}{'sends/s':>9}{'accepted/s':>11}"
        + "".join(f"{k + ' MiB, %':>19}" for k in kinds)
    ]
    for before, sample in pairwise(samples):
        seconds = sample.at - before.at
        row = f"{sample.at:>6.0f}{sample.queue_age:>9.1f}{sample.expansion_age:>9.1f}"
        row += f"{(sample.requests - before.requests) / seconds:>9.0f}"
        row += f"{(sample.accepted - before.accepted) / seconds:>11.0f}"
        for kind in kinds:
            row += f"{sample.memory[kind]:>13.0f}{(sample.cpu[kind] - before.cpu[kind]) / seconds:>6.0%}"
        rows.append(row)
    return "\n".join(rows)


def flatness(samples: Sequence[Sample]) -> list[tuple[str, bool]]:
    """What the last two thirds say, and whether it is well: ages by their slope, memory by its thirds.

    The first third is for the ramp of the pace. mongod's memory is not judged: its cache fills up to its limit.
    """
    third = len(samples) // 3
    middle, last = samples[third : 2 * third], samples[2 * third :]
    later = [*middle, *last]
    minutes = [sample.at / 60 for sample in later]
    found = []
    for name, ages in (
        ("queue age", [sample.queue_age for sample in later]),
        ("expansion age", [sample.expansion_age for sample in later]),
    ):
        slope = linear_regression(minutes, ages).slope
        found.append((f"{name}: {slope:+.2f} s a minute, at most {max(ages):.1f} s", slope <= AGE_SLOPE))
    for kind in sorted(samples[0].memory.keys() - {"mongod"}):
        before, after = (mean(sample.memory[kind] for sample in part) for part in (middle, last))
        text = f"memory of {kind}: {before:.0f} MiB in the middle third, {after:.0f} MiB in the last"
        found.append((text, after <= before * MEMORY_GROWTH))
    return found
