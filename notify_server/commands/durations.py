"""Times as people type them: `24h`, `90d`, or a date."""

import re
from datetime import UTC, datetime, timedelta

import click

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"([0-9]{1,5})([smhdw])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def duration(text: str) -> timedelta:
    """So long: a number with its unit (s, m, h, d, w), or 0. Raises BadParameter."""
    found = _duration(text)
    if found is None:
        raise click.BadParameter(f"{text!r} is not a duration such as 30m, 24h or 90d.")
    return found


def moment(text: str) -> timedelta | datetime:
    """So long from now, or a time: a date (its first moment in UTC), or RFC 3339 with an offset.

    Raises BadParameter.
    """
    so_long = _duration(text)
    found = _time(text) if so_long is None else so_long
    if found is None:
        raise click.BadParameter(f"{text!r} is neither a duration such as 90d nor a date such as 2027-01-31.")
    return found


def _duration(text: str) -> timedelta | None:
    parts = _DURATION.fullmatch(text)
    if parts is None:
        return timedelta(0) if text == "0" else None
    return timedelta(**{_UNITS[parts[2]]: int(parts[1])})


def _time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    if time.tzinfo is not None:
        return time.astimezone(UTC)
    return time.replace(tzinfo=UTC) if _DATE.fullmatch(text) else None
