"""Numbers, shares, times and durations as people read them."""

from datetime import UTC, datetime

from flask import Flask
from markupsafe import Markup

from notify_server.domain.by_channel import telling
from notify_server.domain.rfc3339 import written

_NONE = "–"
_STEPS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))  # seconds
_FEW = 10  # of a unit, below which parts of it matter
_SHOWN = 2  # units


def install(app: Flask) -> None:
    """Give templates `count`, `share`, `instant`, `moment`, `clock`, `span`, and `telling` for rows by channel."""
    app.jinja_env.filters.update(count=count, share=share, moment=moment, clock=clock, span=span)
    app.jinja_env.filters.update(instant=datetime.fromisoformat, telling=telling)


def count(value: int | None) -> str:
    """1234567 as 1,234,567."""
    return _NONE if value is None else f"{value:,}"


def share(value: float | None) -> str:
    """0.1234 as 12.3 %."""
    return _NONE if value is None else f"{100 * value:.1f} %"


def moment(value: datetime | None) -> str:
    """A time in UTC to the second, with the machine's form of it beside."""
    return _written(value, "%-d %b %Y, %H:%M:%S")


def clock(value: datetime | None) -> str:
    """The time of day in UTC, to the millisecond."""
    return _written(value, "%H:%M:%S.%f", cut=-3)


def span(seconds: float | None) -> str:
    """A duration as exactly as matters: 42 ms, 2.4 s, 3 min 5 s, 25 min, 2 h 5 min, 1 d 3 h."""
    if seconds is None:
        return _NONE
    if seconds < _FEW:
        return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"
    left, parts = round(seconds), list[str]()
    for length, unit in _STEPS:
        number, left = divmod(left, length)
        if number:
            parts.append(f"{number} {unit}")
        if parts and (len(parts) == _SHOWN or number == 0 or number >= _FEW):
            break
    return " ".join(parts)


def _written(value: datetime | None, form: str, cut: int | None = None) -> str:
    if value is None:
        return _NONE
    utc = value.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(written(utc), utc.strftime(form)[:cut])
