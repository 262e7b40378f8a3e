"""Fields of our own."""

import unicodedata
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields, validate

MAX_ID = 128  # characters


class Id(fields.String):
    """The backend's own id of a user, group or community, or a name of a category or device."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=[validate.Length(1, MAX_ID), check_id], **kwargs)


class Text(fields.String):
    """Text that a person reads, at most `most` characters long."""

    def __init__(self, most: int, **kwargs: Any) -> None:
        super().__init__(validate=validate.Length(1, most), **kwargs)


class Link(fields.String):
    """An absolute http or https URL."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=[validate.Length(1, 2048), check_link], **kwargs)


class Instant(fields.AwareDateTime):
    """A point in time: RFC 3339 with an offset; shown in UTC to the millisecond."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        try:
            return super()._deserialize(value, attr, data, **kwargs).astimezone(UTC)
        except OverflowError:
            raise ValidationError("Not a valid time.") from None

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else value.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def check_id(value: str) -> None:
    """Raises ValidationError where an id could not stand in a URL or a log line."""
    if "/" in value or value in {".", ".."} or any(unicodedata.category(c).startswith("C") for c in value):
        raise ValidationError("Must not contain slashes or control characters, nor be a dot or two.")


def check_link(value: str) -> None:
    """Raises ValidationError unless `value` is an absolute web address."""
    try:
        parts = urlsplit(value)
        acceptable = parts.scheme in {"http", "https"} and parts.hostname and value.isprintable() and " " not in value
    except ValueError:
        acceptable = False
    if not acceptable:
        raise ValidationError("Must be an absolute http or https URL.")
