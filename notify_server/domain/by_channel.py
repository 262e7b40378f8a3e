"""What each channel has done, out of a tally."""

from collections.abc import Mapping, Sequence
from typing import Any

from notify_server.domain.funnel import funnel
from notify_server.domain.notification import Channel
from notify_server.domain.registry import Status
from notify_server.domain.signs import BESIDE
from notify_server.domain.tally import Tally

COUNTS = ("sent", "received", "read", "failed", "bounced", "suppressed")
_KNOWN = {Channel.PUSH: ("sent", "failed"), Channel.REALTIME: ("sent",), Channel.EMAIL: COUNTS}


def by_channel(tally: Tally) -> Sequence[Mapping[str, Any]]:
    """For each `channel` the entries of which it has come to each of COUNTS; None: it is not known by channel.

    An entry may be in several rows, and in several counts of one: what was received was sent before.
    """
    return [
        {"channel": channel.value, **{name: _count(tally, channel, name) for name in COUNTS}} for channel in Channel
    ]


def telling(rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Those of such rows that have a count; none where push alone has, as the statuses say it all then."""
    used = [row for row in rows if any(row[name] for name in COUNTS)]
    return [] if [row["channel"] for row in used] == [Channel.PUSH] else used


def _count(tally: Tally, channel: Channel, name: str) -> int | None:
    if name not in _KNOWN[channel]:
        return None
    said = tally.get(f"{channel}/{name}", 0)
    if channel is not Channel.PUSH:
        return said
    standing = {"sent": funnel(tally)["sent"], "failed": tally.get(Status.FAILED.value, 0)}
    return standing[name] - tally.get(f"{BESIDE}/{name}", 0) + said
