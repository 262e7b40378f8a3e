"""What statistics are asked for."""

from typing import Any

from marshmallow import Schema, fields, validate

from notify_server.api.schemas.fields import Id, Instant, TimeZone
from notify_server.domain.intervals import Interval
from notify_server.services.rankings import Choice
from notify_server.services.statistics import Question

_MAX_ROWS = 200


class PeriodQuerySchema(Schema):
    """Which period, in whole quarters of an hour around it; by default the last 30 days."""

    from_ = Instant(data_key="from", attribute="start", metadata={"description": "The first moment"})
    to = Instant(attribute="end", metadata={"description": "The first moment that is not in it any more"})
    timezone = TimeZone(load_default="UTC", metadata={"description": "Whose days count; an IANA name"})
    category = Id(metadata={"description": "Of this category alone"})


class StatisticsQuerySchema(PeriodQuerySchema):
    """Which period, how divided, and what to compare with."""

    interval = fields.Enum(Interval, by_value=True, load_default=Interval.DAY)
    compare = fields.String(
        validate=validate.OneOf(["previous"]), metadata={"description": "With the period before, which is as long"}
    )


class TopQuerySchema(PeriodQuerySchema):
    """Which period, and how many rows."""

    limit = fields.Integer(
        load_default=20, validate=validate.Range(1, _MAX_ROWS), metadata={"description": "Most rows"}
    )


class TopGroupsQuerySchema(TopQuerySchema):
    """The same, from either end."""

    order = fields.String(load_default="desc", validate=validate.OneOf(["desc", "asc"]))
    least = fields.Integer(
        load_default=1,
        validate=validate.Range(1, 1_000_000_000),
        metadata={"description": "Fewest recipients of a group that is listed: of one of one, all have read it"},
    )


def question(query: dict[str, Any]) -> Question:
    """What one of these schemas has read, as a question."""
    named = {name: query[name] for name in ("start", "end", "interval", "timezone", "category") if name in query}
    return Question(**named, compare="compare" in query)


def choice(query: dict[str, Any]) -> Choice:
    """Which rows of a top list it has asked for."""
    return Choice(query["limit"], lowest=query.get("order") == "asc", least=query.get("least", 1))
