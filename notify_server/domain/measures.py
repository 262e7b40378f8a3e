"""What analysts ask of a tally: counts, rates, times and reasons. docs/statistics.md defines each of them."""

from collections.abc import Mapping
from typing import Any

from notify_server.domain.registry import Status
from notify_server.domain.tally import Tally, quantile

STATUSES = tuple(status.value for status in Status)
_UNADDRESSED = (Status.SUPPRESSED.value, Status.CANCELLED.value)  # nobody tried to reach them
_ARRIVED = (Status.RECEIVED.value, Status.READ.value)
_TIMES = {"receive": "received", "read": "read"}


def counts(tally: Tally) -> dict[str, int]:
    """Entries by status; every status is there."""
    return {status: tally.get(status, 0) for status in STATUSES}


def counted(tally: Tally) -> dict[str, Any]:
    """Recipients, entries by status, and the rates: of those addressed, how many have it, and how many read it.

    Rates are from 0 to 1, and None where nobody was addressed.
    """
    found = counts(tally)
    recipients = sum(found.values())
    addressed = recipients - sum(found[status] for status in _UNADDRESSED)
    return {
        "recipients": recipients,
        **found,
        "delivery_rate": _rate(sum(found[status] for status in _ARRIVED), addressed),
        "read_rate": _rate(found[Status.READ.value], addressed),
    }


def totals(tally: Tally) -> dict[str, Any]:
    """The same, and within how many seconds of being entered half and nine tenths of what arrived did so; or None."""
    times = {
        f"{word}_seconds_to_{verb}": quantile(tally, name, share)
        for word, share in (("median", 0.5), ("p90", 0.9))
        for verb, name in _TIMES.items()
    }
    return counted(tally) | times


def reasons(tally: Tally) -> list[Mapping[str, Any]]:
    """Why entries stand where they stand: `status`, `reason` and `count`, the most frequent first."""
    named = sorted(((name, count) for name, count in tally.items() if ":" in name), key=lambda row: (-row[1], row[0]))
    split = ((name.partition(":"), count) for name, count in named if count)
    return [{"status": status, "reason": reason, "count": count} for (status, _, reason), count in split]


def _rate(count: int, addressed: int) -> float | None:
    return round(count / addressed, 6) if addressed else None
