"""Figures for a terminal: a few lines, a table, and beside it a chart of bars."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from notify_server.domain.by_channel import COUNTS, telling
from notify_server.domain.measures import STATUSES
from notify_server.services.figures import Course
from notify_server.services.statistics import Report

_BAR = 30  # characters of the longest bar
_MARKS = "█▒░"  # read, received, not received
_LEGEND = f"{_MARKS[0]} read  {_MARKS[1]} received  {_MARKS[2]} others"
_COLUMNS = ("", "RECIPIENTS", "SENT", "RECEIVED", "READ", "FAILED", "DELIVERED", "READ RATE")
_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"))


def lines(title: str, report: Report) -> Iterator[str]:
    """What there is to say of `report`, line by line."""
    zone, totals = ZoneInfo(report.timezone), report.totals
    yield f"{title}: {_time(report.period.start, zone)} to {_time(report.period.end, zone)} {report.timezone}"
    yield f"as of {_time(report.as_of, zone)}"
    yield ""
    yield ", ".join(
        f"{totals[name]:,} {name}" for name in ("recipients", *STATUSES) if totals[name] or name == "recipients"
    )
    yield f"delivered {_percent(totals['delivery_rate'])}, read {_percent(totals['read_rate'])}"
    for verb in ("receive", "read"):
        if (median := totals[f"median_seconds_to_{verb}"]) is not None:
            late = totals[f"p90_seconds_to_{verb}"]
            yield f"time to {verb}: half within {_long(median)}, nine tenths within {_long(late)}"
    if report.previous is not None:
        yield from _compared(report, zone)
    yield ""
    yield from _table(report.series)
    yield from _listed(report.reasons)
    if rows := telling(report.channels):
        yield ""
        yield from _channels(rows)


def course_lines(title: str, course: Course) -> Iterator[str]:
    """The same of one notification, with its funnel."""
    yield from lines(title, course.report)
    yield ""
    most = max(course.funnel["recipients"], 1)
    for stage, count in course.funnel.items():
        bar = _MARKS[0] * round(_BAR * count / most)
        yield f"{stage:<10}  {count:>10,}  {_percent(count / most):>7}  {bar}".rstrip()


def _table(series: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    most = max((point["recipients"] for point in series), default=0)
    yield from _aligned([(*_COLUMNS, _LEGEND), *((*_cells(point), _bar(point, most)) for point in series)])


def _channels(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    head = ("BY CHANNEL", *(name.upper() for name in COUNTS), "")
    counts = [["-" if row[name] is None else f"{row[name]:,}" for name in COUNTS] for row in rows]
    yield from _aligned([head, *((row["channel"], *cells, "") for row, cells in zip(rows, counts, strict=True))])


def _aligned(headed: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows, the head among them: the first column and the last to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*headed, strict=True)]
    for first, *cells, last in headed:
        aligned = (cell.rjust(width) for cell, width in zip(cells, widths[1:-1], strict=True))
        yield "  ".join((first.ljust(widths[0]), *aligned, last)).rstrip()


def _cells(point: Mapping[str, Any]) -> Sequence[str]:
    counts = (f"{point[name]:,}" for name in ("recipients", "sent", "received", "read", "failed"))
    return (point["period"], *counts, _percent(point["delivery_rate"]), _percent(point["read_rate"]))


def _bar(point: Mapping[str, Any], most: int) -> str:
    """As long as there are recipients; parts are rounded so that they end where their sum does."""
    read, received = point["read"], point["read"] + point["received"]
    ends = [round(_BAR * count / most) if most else 0 for count in (read, received, point["recipients"])]
    return _MARKS[0] * ends[0] + _MARKS[1] * (ends[1] - ends[0]) + _MARKS[2] * (ends[2] - ends[1])


def _compared(report: Report, zone: ZoneInfo) -> Iterator[str]:
    if report.previous is not None:
        before, period = report.previous.totals, report.previous.period
        rates = f"delivered {_percent(before['delivery_rate'])}, read {_percent(before['read_rate'])}"
        yield f"before, from {_time(period.start, zone)}: {before['recipients']:,} recipients, {rates}"


def _listed(reasons: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if reasons:
        yield ""
    for row in reasons:
        yield f"{row['count']:>10,}  {row['status']}: {row['reason']}"


def _time(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def _percent(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:.1%}"


def _long(seconds: float) -> str:
    """So many seconds in the largest unit of which there is one."""
    for length, unit in _UNITS:
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} s"
