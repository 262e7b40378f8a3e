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
LONGEST = 4096  # characters of a text that is changed letter by letter
_MARKS = {user_fields.mark(field): user_fields.mark(field, quoted=True) for field in UserField}


class Unfit(TypeError):
    """A value that cannot be shown so. What it says is not repeated."""


@pass_context
def shown(context: Context, value: Any) -> Any:
    """How a value is shown that no filter was asked to: what was left out as nothing, a time as in `datetime`."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | dict):
        raise Unfit("What has items is shown in a loop, or by join.")
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


@pass_context
def _join(context: Context, value: Any, separator: str = ", ") -> str:
    return separator.join(str(shown(context, each)) for each in _sequence(value))


def _default(value: Any, other: Any) -> Any:
    return other if isinstance(value, Undefined) or value is None or value == "" else value


def _truncate(value: Any, most: Any) -> str:
    text = _text(value)
    return text if len(text) <= int(most) else f"{text[: max(int(most) - 1, 0)].rstrip()}…"


def _quoted(value: Any) -> str:
    text = _brief(value, LONGEST // 2)
    return _MARKS.get(text) or quote(text, safe="")


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
    "lower": lambda value: _brief(value).lower(),
    "money": _money,
    "number": _number,
    "time": _clock,
    "trim": lambda value: _text(value).strip(),
    "truncate": _truncate,
    "upper": lambda value: _brief(value).upper(),
    "urlencode": _quoted,
}
TESTS: Mapping[str, Callable[[Any], bool]] = {
    "even": lambda value: _number_of(value) % 2 == 0,
    "none": lambda value: value is None,
    "odd": lambda value: _number_of(value) % 2 == 1,
}
ARGUMENTS = {"default": 1, "join": 1, "money": 1, "truncate": 1}  # the most that each takes; others take none
EFFORT = dict.fromkeys(("date", "datetime", "join", "money", "number", "time"), 100) | {"urlencode": 200}  # others: 10


def _time(value: Any) -> datetime:
    if not isinstance(value, datetime):
        raise Unfit("Only a datetime has a date and a time.")
    return value


def _decimal(value: Any) -> Decimal:
    return Decimal(str(_number_of(value)))


def _number_of(value: Any) -> int | float:
    """The number that a value is; a text is none, as `%` would format it, to any width that it names."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unfit("Only a number can be shown as one, and is even or odd.")
    return value


def _sequence(value: Any) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise Unfit("Only a list has items.")
    return value


def _text(value: Any) -> str:
    """A text or number as text, and what was left out as none."""
    if isinstance(value, list | dict):
        raise Unfit("What has items is no text.")
    return "" if value is None else str(value)


def _brief(value: Any, most: int = LONGEST) -> str:
    text = _text(value)
    if len(text) > most:
        raise Unfit(f"Has more than {most} characters before a filter that changes each.")
    return text


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
