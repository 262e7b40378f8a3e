"""How a time is written wherever it leaves us: RFC 3339 section 5.6."""

from datetime import UTC, datetime


def written(at: datetime) -> str:
    """`at` in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
