"""Checks of single JSON values: each gives None for a good one, else the type that was wanted, in Google's words.

Source: Protocol Buffers, "ProtoJSON format".
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

_DURATION = re.compile(r"-?\d{1,12}(\.\d{1,9})?s")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
_INTEGER = re.compile(r"-?\d{1,10}")
_INT32 = 2**31


def string(value: Any) -> str | None:
    """A string."""
    return None if isinstance(value, str) else "TYPE_STRING"


def boolean(value: Any) -> str | None:
    """true or false."""
    return None if isinstance(value, bool) else "TYPE_BOOL"


def int32(value: Any) -> str | None:
    """A whole number of 32 bits, or one written as a string."""
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)
    return None if whole and -_INT32 <= value < _INT32 else "TYPE_INT32"


def number(value: Any) -> str | None:
    """Any number."""
    return None if isinstance(value, int | float) and not isinstance(value, bool) else "TYPE_FLOAT"


def duration(value: Any) -> str | None:
    """Seconds with up to nine decimals and the suffix s: "3.5s"."""
    good = isinstance(value, str) and _DURATION.fullmatch(value)
    return None if good else "type.googleapis.com/google.protobuf.Duration"


def timestamp(value: Any) -> str | None:
    """RFC 3339 with a zone."""
    wanted = "type.googleapis.com/google.protobuf.Timestamp"
    if not isinstance(value, str) or not _TIMESTAMP.fullmatch(value):
        return wanted
    try:
        datetime.fromisoformat(value[:19])
    except ValueError:
        return wanted
    return None


def enum(name: str, allowed: frozenset[str]) -> Callable[[Any], str | None]:
    """A check for one of the names `allowed`, in upper or lower case (the SDKs send either)."""

    def check(value: Any) -> str | None:
        return None if isinstance(value, str) and value.upper() in allowed else f"type.googleapis.com/{name}"

    return check
