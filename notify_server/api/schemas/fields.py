"""Fields of our own."""

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields, validate

from notify_server.domain import identity

_YEARS = range(1970, 2100)  # a notification id holds its time in 32 bits, so filters by time end in 2106
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


class Id(fields.String):
    """The backend's own id of a user, group or community, or a name of a category or device."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=[validate.Length(1, identity.MAX_ID), check_id], **kwargs)


class Text(fields.String):
    """Text that a person reads, at most `most` characters long."""

    def __init__(self, most: int, **kwargs: Any) -> None:
        super().__init__(validate=validate.Length(1, most), **kwargs)


class Locale(fields.String):
    """A language tag (BCP 47); Android's underscore is taken for its hyphen."""

    def __init__(self, **kwargs: Any) -> None:
        tag = validate.Regexp(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*\Z", error="Must be a language tag such as de-AT.")
        super().__init__(validate=[validate.Length(max=35), tag], **kwargs)


class Link(fields.String):
    """An absolute http or https URL."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=[validate.Length(1, 2048), check_link], **kwargs)


class Flag(fields.Boolean):
    """True or false, and nothing that only looks like it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Instant(fields.AwareDateTime):
    """A point in time: RFC 3339 with an offset; shown in UTC to the millisecond."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if not isinstance(value, str) or not _RFC3339.fullmatch(value):
            raise ValidationError("Must be a time with an offset (RFC 3339), such as 2026-12-01T09:00:00Z.")
        instant = super()._deserialize(value, attr, data, **kwargs)
        if instant.year not in _YEARS:
            raise ValidationError(f"Must lie between {_YEARS[0]} and {_YEARS[-1]}.")
        return instant.astimezone(UTC)

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else value.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def check_id(value: str) -> None:
    """Raises ValidationError where an id of this length could not stand in a URL or a log line."""
    if not identity.is_writable(value):
        raise ValidationError("Must not contain slashes, control characters or broken text, nor be a dot or two.")


def check_link(value: str) -> None:
    """Raises ValidationError unless `value` is an absolute web address."""
    try:
        parts = urlsplit(value)
        acceptable = parts.scheme in {"http", "https"} and parts.hostname and value.isprintable() and " " not in value
    except ValueError:
        acceptable = False
    if not acceptable:
        raise ValidationError("Must be an absolute http or https URL.")
