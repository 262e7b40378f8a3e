"""Fields of our own."""

import re
import zoneinfo
from datetime import UTC, datetime
from functools import cache
from typing import Any

from marshmallow import ValidationError, fields, validate

from notify_server.domain import identity, text
from notify_server.domain.rfc3339 import written
from notify_server.services import links

_YEARS = range(1970, 2100)  # a notification id holds its time in 32 bits, so filters by time end in 2106
PROTOTYPES = ("__proto__", "constructor", "prototype")  # JavaScript's: assigning to one changes every object
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


class Normal(fields.String):
    """A string in Normalisation Form C, however it was sent: before anything else is asked of it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return text.nfc(super()._deserialize(value, attr, data, **kwargs))


class Id(Normal):
    """The backend's own id of a user, group or community, or a name of a category or device."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=[validate.Length(1, identity.MAX_ID), check_id], **kwargs)


class Name(fields.String):
    """What a template or an action is called, such as ticket_purchased."""

    def __init__(self, **kwargs: Any) -> None:
        shape = validate.Regexp(
            r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z", error="Must be letters, digits, hyphens, dots and underscores."
        )
        super().__init__(validate=shape, **kwargs)


class Text(Normal):
    """Text that a person reads, at most `most` characters long; on one line, unless it may have `lines`."""

    def __init__(self, most: int, *, lines: bool = False, **kwargs: Any) -> None:
        super().__init__(validate=[validate.Length(1, most), lambda value: check_text(value, lines=lines)], **kwargs)


class DataKey(fields.String):
    """A name in `data`; an app may well make members of an object of them, in whatever language it is written."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=[validate.Length(1, 256), _check_key], **kwargs)


class Locale(fields.String):
    """A language tag (BCP 47); Android's underscore is taken for its hyphen."""

    def __init__(self, **kwargs: Any) -> None:
        tag = validate.Regexp(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*\Z", error="Must be a language tag such as de-AT.")
        super().__init__(validate=[validate.Length(max=35), tag], **kwargs)


class TimeZone(fields.String):
    """A name of the IANA time zone database, such as Europe/Vienna."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=[validate.Length(1, 64), _check_zone], **kwargs)


class Link(Normal):
    """An absolute URL of any scheme, or of those named; its host comes out in ASCII."""

    def __init__(self, *schemes: str, **kwargs: Any) -> None:
        super().__init__(validate=validate.Length(1, links.MAX_LINK), **kwargs)
        self._schemes = frozenset(schemes)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        found: str = super()._deserialize(value, attr, data, **kwargs)
        try:
            return links.normalised(found[: links.MAX_LINK + 1], self._schemes)
        except ValueError as error:
            raise ValidationError(str(error)) from None


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
        return None if value is None else written(value)


def instant(value: str) -> datetime | None:
    """What Instant makes of `value`, at a quarter of the time; None where it refuses it."""
    if not _RFC3339.fullmatch(value):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.year in _YEARS else None


def check_id(value: str) -> None:
    """Raises ValidationError where an id of this length could not stand in a URL or a log line."""
    if not identity.is_writable(value):
        raise ValidationError("Must not contain slashes, control characters or broken text, nor be a dot or two.")


@cache
def _zones() -> frozenset[str]:
    """What this machine and the package tzdata know, as legacy names are not on every machine."""
    return frozenset(zoneinfo.available_timezones())


def _check_zone(value: str) -> None:
    if value not in _zones():
        raise ValidationError("Must be a name of the IANA time zone database, such as Europe/Vienna.")


def _check_key(value: str) -> None:
    if not value.isprintable() or value.startswith((".", "$")) or value in PROTOTYPES:
        raise ValidationError(f"Must be printable, not begin with . or $, and be none of {', '.join(PROTOTYPES)}.")


def check_text(value: str, *, lines: bool) -> None:
    """Raises ValidationError where `value` holds what deceives or defaces."""
    if (fault := text.fault(value, lines=lines)) is not None:
        raise ValidationError(fault)
