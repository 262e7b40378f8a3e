"""What a benchmark found, for people and for programs."""

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path


def machine() -> str:
    """The processor, as the kernel names it, and how many of them this process may use."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    name = names[0] if names else platform.machine()
    return f"{name}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}"


@dataclass(frozen=True)
class Result:
    """Figures by the names of the contract, and the reference measured in the same run."""

    benchmark: str
    figures: dict[str, float]
    reference: dict[str, float] = field(default_factory=dict)
    machine: str = field(default_factory=machine)

    def as_json(self) -> str:
        """One object on one line."""
        return json.dumps(asdict(self))

    def as_text(self) -> str:
        """A line a figure."""
        rows = [f"{self.benchmark}  ({self.machine})"]
        rows += [f"  {name:<36}{value:>14,.1f}" for name, value in self.figures.items()]
        rows += [f"  {name + ' (reference)':<36}{value:>14,.1f}" for name, value in self.reference.items()]
        return "\n".join(rows)
