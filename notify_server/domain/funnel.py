"""How far one notification has got: its funnel, and its delivery curve."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from notify_server.domain.measures import counts
from notify_server.domain.registry import Reason, Status
from notify_server.domain.tally import Tally, end_of_step, steps

MOST_POINTS = 240
_SENT_AGAIN = f"{Status.PENDING.value}:{Reason.UNCONFIRMED.value}"


def funnel(tally: Tally) -> Mapping[str, int]:
    """Recipients, and how many of them got as far as sent, received and read, or further."""
    found = counts(tally)
    read = found[Status.READ.value]
    received = read + found[Status.RECEIVED.value]
    sent = received + found[Status.SENT.value] + tally.get(_SENT_AGAIN, 0)
    return {"recipients": sum(found.values()), "sent": sent, "received": received, "read": read}


def curve(tally: Tally) -> Sequence[Mapping[str, Any]]:
    """How many had received and read it so many `seconds` after they were entered; at most MOST_POINTS points.

    Each number is exact: at every point that is left, all points before it are counted.
    """
    received, read = steps(tally, "received"), steps(tally, "read")
    reached = sorted(received.keys() | read.keys())
    sums = zip(
        accumulate(received.get(step, 0) for step in reached),
        accumulate(read.get(step, 0) for step in reached),
        strict=True,
    )
    points = [
        {"seconds": end_of_step(step), "received": had, "read": opened}
        for step, (had, opened) in zip(reached, sums, strict=True)
    ]
    every = -(-len(points) // MOST_POINTS)
    return points[::-every][::-1] if points else []
