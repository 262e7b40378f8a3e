"""A notification's way from its recipients to its readers, in steps."""

from collections.abc import Mapping
from dataclasses import dataclass

from notify_server.domain.registry import Status

_DELIVERED = (Status.RECEIVED, Status.READ)
_SENT = (Status.SENT, *_DELIVERED)


@dataclass(frozen=True, slots=True)
class Step:
    """How many recipients came so far, and their share of all (0 to 1); None where there are none."""

    name: str
    label: str
    count: int
    share: float | None


def steps(counts: Mapping[str, int]) -> list[Step]:
    """The funnel of entries counted by status."""

    def step(name: str, label: str, *statuses: Status) -> Step:
        count = sum(counts.get(status.value, 0) for status in statuses)
        return Step(name, label, count, count / everybody if everybody else None)

    everybody = sum(counts.get(status.value, 0) for status in Status)
    return [
        step("recipients", "Recipients", *Status),
        step("sent", "Sent", *_SENT),
        step("received", "Received", *_DELIVERED),
        step("read", "Read", Status.READ),
    ]


def is_moving(counts: Mapping[str, int]) -> bool:
    """Whether anything is left that may still change by itself."""
    return any(counts.get(status.value, 0) for status in (Status.PENDING, Status.SENT, Status.RECEIVED))
