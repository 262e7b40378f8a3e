"""Figures from the shell: what /v1/statistics answers, straight from the database."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import reduce
from typing import Any
from zoneinfo import ZoneInfo

import click
from marshmallow import ValidationError

from notify_server.api.parsing import by_path
from notify_server.api.schemas.statistics import NotificationStatisticsSchema, StatisticsSchema
from notify_server.api.schemas.statistics_query import StatisticsQuerySchema, question
from notify_server.commands.durations import duration
from notify_server.commands.report_text import course_lines, lines
from notify_server.commands.setting import services
from notify_server.domain.intervals import Interval
from notify_server.domain.periods import midnight
from notify_server.errors import InvalidInput
from notify_server.services.clock import utc_now
from notify_server.services.figures import Course, Figures
from notify_server.services.statistics import Question, Report

Options = dict[str, Any]
Ask = Callable[[Figures, Question], Report | Course]

_DAY = timedelta(days=1)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OPTIONS = (
    click.option("--last", metavar="DURATION", help="Until now: 24h, or 30d (whole days, today included)."),
    click.option("--from", "from", metavar="DATE|TIME", help="The first day, or moment (RFC 3339)."),
    click.option("--to", metavar="DATE|TIME", help="The first day, or moment, that is not in it any more."),
    click.option("--interval", type=click.Choice([each.value for each in Interval]), help="A line for each. [day]"),
    click.option("--timezone", metavar="NAME", help="Whose days count, such as Europe/Vienna. [UTC]"),
    click.option("--category", metavar="NAME", help="Of this category alone."),
    click.option("--compare", is_flag=True, help="With the period before."),
    click.option("--json", "as_json", is_flag=True, help="What the API answers."),
)


def _with_options(command: Callable[..., None]) -> Callable[..., None]:
    return reduce(lambda made, option: option(made), reversed(_OPTIONS), command)


@click.command()
@_with_options
def overview(**options: Any) -> None:
    """Figures of every entry."""
    _show("everything", Figures.overview, options)


def _of(name: str, what: str, ask: Callable[[Figures, str, Question], Report | Course]) -> click.Command:
    """The command that asks for figures of one thing."""

    @click.command(name, help=f"Figures of {what}.", short_help=f"Figures of {what}.")
    @click.argument("key", metavar=name.upper())
    @_with_options
    def command(key: str, **options: Any) -> None:
        _show(f"{name} {key}", lambda figures, asked: ask(figures, key, asked), options)

    return command


COMMANDS = (
    overview,
    _of("group", "the entries that were reached through a group", Figures.group),
    _of("community", "the notifications of a community", Figures.community),
    _of("category", "the notifications of a category", Figures.category),
    _of("user", "what a user was sent", Figures.user),
    _of("notification", "a notification, with its funnel", Figures.notification),
)


def _show(title: str, ask: Ask, options: Options) -> None:
    as_json, asked = options.pop("as_json"), _question(options)
    with services() as opened:
        found = ask(opened.figures, asked)
    if isinstance(found, Course):
        told = NotificationStatisticsSchema().dumps(found) if as_json else "\n".join(course_lines(title, found))
    else:
        told = StatisticsSchema().dumps(found) if as_json else "\n".join(lines(title, found))
    click.echo(told)


def _question(options: Options) -> Question:
    """What the options ask for. Raises InvalidInput, as the API does, and UsageError."""
    last, compare = options.pop("last"), options.pop("compare")
    query = {name: value for name, value in options.items() if value is not None}
    if last is not None and query.keys() & {"from", "to"}:
        raise click.UsageError("Name --last, or else --from and --to.")
    try:
        StatisticsQuerySchema(only=["timezone"]).load({"timezone": query.get("timezone", "UTC")})
        zone = ZoneInfo(query.get("timezone", "UTC"))
        if last is not None:
            query["from"] = _begin(last, zone)
        query |= {name: _moment(query[name], zone) for name in ("from", "to") if name in query}
        return question(StatisticsQuerySchema().load(query | ({"compare": "previous"} if compare else {})))
    except ValidationError as error:
        raise InvalidInput(by_path(error.normalized_messages())) from None


def _begin(last: str, zone: ZoneInfo) -> str:
    """Where the last days or weeks begin, today among them; hours and minutes end now. Raises BadParameter."""
    long, now = duration(last), utc_now()
    if long and last[-1] in "dw":
        return midnight(now.astimezone(zone).date() - long + _DAY, zone).isoformat()
    return (now - long).isoformat()


def _moment(text: str, zone: ZoneInfo) -> str:
    """A date is the moment at which it begins in `zone`."""
    try:
        return midnight(date.fromisoformat(text), zone).isoformat() if _DATE.fullmatch(text) else text
    except ValueError:
        return text
