"""The filters of templates: how values are shown in the locale of a text. None of them makes much of little."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from babel import Locale, UnknownLocaleError, dates, numbers
from jinja2 import pass_context
from jinja2.runtime import Context, Undefined

from notify_server.domain import user_fields
from notify_server.domain.user_fields import UserField

LOCALE = "_locale"  # the name in a template's context under which its locale stands; no variable's name begins so
LARGEST = 10**15  # of numbers
_MARKS = {user_fields.mark(field): user_fields.mark(field, quoted=True) for field in UserField}


@pass_context
def shown(context: Context, value: Any) -> Any:
    """How a value is shown that no filter was asked to: what was left out as nothing, a time as in `datetime`."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return _datetime(context, value) if isinstance(value, datetime) else value


@pass_context
def _date(context: Context, value: Any) -> str:
    return "" if value is None else dates.format_date(_time(value), "long", _locale(context))


@pass_context
def _clock(context: Context, value: Any) -> str:
    if value is None:
        return ""
    found = _time(value)
    return dates.format_time(found, "short", tzinfo=found.tzinfo, locale=_locale(context))


@pass_context
def _datetime(context: Context, value: Any) -> str:
    return "" if value is None else f"{_date(context, value)}, {_clock(context, value)}"


@pass_context
def _number(context: Context, value: Any) -> str:
    return "" if value is None else numbers.format_decimal(_decimal(value), locale=_locale(context))


@pass_context
def _money(context: Context, value: Any, currency: Any) -> str:
    if value is None:
        return ""
    if not currency or isinstance(currency, Undefined):
        return _number(context, value)
    return numbers.format_currency(_decimal(value), str(currency), locale=_locale(context))


def _join(value: Any, separator: Any = ", ") -> str:
    return str(separator).join(str(each) for each in _sequence(value))


def _default(value: Any, other: Any) -> Any:
    return other if isinstance(value, Undefined) or value is None or value == "" else value


def _truncate(value: Any, most: Any) -> str:
    text = str(value)
    return text if len(text) <= int(most) else f"{text[: max(int(most) - 1, 0)].rstrip()}…"


def _quoted(value: Any) -> str:
    return _MARKS.get(str(value)) or quote(str(value), safe="")


def _first(value: Any) -> Any:
    return next(iter(_sequence(value)), None)


def _last(value: Any) -> Any:
    return _sequence(value)[-1] if _sequence(value) else None


FILTERS: Mapping[str, Callable[..., Any]] = {
    "date": _date,
    "datetime": _datetime,
    "default": _default,
    "first": _first,
    "join": _join,
    "last": _last,
    "length": len,
    "lower": lambda value: str(value).lower(),
    "money": _money,
    "number": _number,
    "time": _clock,
    "trim": lambda value: str(value).strip(),
    "truncate": _truncate,
    "upper": lambda value: str(value).upper(),
    "urlencode": _quoted,
}
ARGUMENTS = {"default": 1, "join": 1, "money": 1, "truncate": 1}  # the most that each takes; others take none


def _time(value: Any) -> datetime:
    if not isinstance(value, datetime):
        raise TypeError("Only a datetime has a date and a time.")
    return value


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("Only a number can be shown as one.")
    return Decimal(str(value))


def _sequence(value: Any) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise TypeError("Only a list has items.")
    return value


def _locale(context: Context) -> Locale:
    return _known(str(context[LOCALE]))


@lru_cache(maxsize=256)
def _known(tag: str) -> Locale:
    """The locale by its tag, or the next best that there are formats for."""
    parts = tag.split("-")
    while parts:
        try:
            return Locale.parse("-".join(parts), sep="-")
        except (UnknownLocaleError, ValueError):
            parts.pop()
    return Locale("en")
