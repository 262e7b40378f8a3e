"""Statistics, as they are answered."""

from typing import Any

from marshmallow import Schema, fields

from notify_server.api.schemas.fields import Instant
from notify_server.domain.by_channel import COUNTS
from notify_server.domain.intervals import Interval
from notify_server.domain.measures import STATUSES
from notify_server.domain.notification import Channel
from notify_server.domain.registry import Reason
from notify_server.domain.rfc3339 import written

_STATUS = {"enum": list(STATUSES)}
_RATE = {"minimum": 0, "maximum": 1}


def _counts() -> dict[str, fields.Field[Any]]:
    delivery = {"description": "(received + read) / addressed; null where nobody was addressed"}
    return {
        "recipients": fields.Integer(),
        **{status: fields.Integer() for status in STATUSES},
        "delivery_rate": fields.Float(allow_none=True, metadata=_RATE | delivery),
        "read_rate": fields.Float(allow_none=True, metadata=_RATE | {"description": "read / addressed"}),
    }


_TIMES = ("median_seconds_to_receive", "p90_seconds_to_receive", "median_seconds_to_read", "p90_seconds_to_read")
_SECONDS: dict[str, fields.Field[Any]] = {
    name: fields.Float(allow_none=True, metadata={"minimum": 0}) for name in _TIMES
}

TotalsSchema = Schema.from_dict({**_counts(), **_SECONDS}, name="Totals")
TotalsSchema.__doc__ = "Entries by status, rates, and how long devices took; docs/statistics.md defines each figure."

_PLACE: dict[str, fields.Field[Any]] = {
    "at": Instant(
        metadata={"description": "When it begins; it ends where the next one does, the last with the period"}
    ),
    "period": fields.String(metadata={"description": "Its hour, day, ISO week or month in the time zone"}),
}
PointSchema = Schema.from_dict({**_PLACE, **_counts()}, name="Point")
PointSchema.__doc__ = "A point of a series: what was entered in this hour, day, week or month."


class Series(fields.List[Any]):
    """Points, hundreds of them: all but `at` is as JSON has it already, so they need not go through their schema."""

    def __init__(self, **options: Any) -> None:
        super().__init__(fields.Nested(PointSchema), **options)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> list[Any]:
        return [point | {"at": written(point["at"])} for point in value]


class ReasonCountSchema(Schema):
    """How many entries stand at a status for this reason."""

    status = fields.String(metadata=_STATUS)
    reason = fields.String(metadata={"enum": [reason.value for reason in Reason]})
    count = fields.Integer()


_NOT_KNOWN: dict[str, Any] = {"minimum": 0, "description": "Null where it is not known by channel"}
ChannelCountsSchema = Schema.from_dict(
    {
        "channel": fields.String(metadata={"enum": [channel.value for channel in Channel]}),
        **{name: fields.Integer(allow_none=True, metadata=_NOT_KNOWN) for name in COUNTS},
    },
    name="ChannelCounts",
)
ChannelCountsSchema.__doc__ = "How many entries a channel has sent, and what came of that, as far as it is known by it."


class BeforeSchema(Schema):
    """The period before, which is as long."""

    from_ = Instant(data_key="from", attribute="period.start")
    to = Instant(attribute="period.end")
    totals = fields.Nested(TotalsSchema)


class _CountedSchema(Schema):
    """Figures of a period."""

    from_ = Instant(data_key="from", attribute="period.start")
    to = Instant(attribute="period.end")
    as_of = Instant(metadata={"description": "Everything that happened until then is counted"})


class StatisticsSchema(_CountedSchema):
    """What was entered in a period, as it stands now."""

    interval = fields.Enum(Interval, by_value=True)
    timezone = fields.String()
    totals = fields.Nested(TotalsSchema)
    reasons = fields.List(fields.Nested(ReasonCountSchema))
    channels = fields.List(fields.Nested(ChannelCountsSchema))
    series = Series()
    previous = fields.Nested(
        BeforeSchema, allow_none=True, metadata={"description": "Null unless compare=previous asks for it"}
    )


class FunnelSchema(Schema):
    """How many got as far as this, or further."""

    recipients = fields.Integer()
    sent = fields.Integer()
    received = fields.Integer()
    read = fields.Integer()


class CurvePointSchema(Schema):
    """How many had received and read it so many seconds after they were entered."""

    seconds = fields.Float(metadata={"minimum": 0})
    received = fields.Integer()
    read = fields.Integer()


class NotificationStatisticsSchema(Schema):
    """The same of one notification, its funnel, and its delivery curve."""

    from_ = Instant(data_key="from", attribute="report.period.start")
    to = Instant(attribute="report.period.end")
    as_of = Instant(attribute="report.as_of")
    interval = fields.Enum(Interval, by_value=True, attribute="report.interval")
    timezone = fields.String(attribute="report.timezone")
    totals = fields.Nested(TotalsSchema, attribute="report.totals")
    reasons = fields.List(fields.Nested(ReasonCountSchema), attribute="report.reasons")
    channels = fields.List(fields.Nested(ChannelCountsSchema), attribute="report.channels")
    series = Series(attribute="report.series")
    previous = fields.Nested(BeforeSchema, attribute="report.previous", allow_none=True)
    funnel = fields.Nested(FunnelSchema)
    curve = fields.List(fields.Nested(CurvePointSchema))


TopGroupSchema = Schema.from_dict({"group": fields.String(), **_counts()}, name="TopGroup")
TopGroupSchema.__doc__ = "A group, with what was entered through it."


class TopGroupsSchema(_CountedSchema):
    """Groups by read rate, the highest first or the lowest."""

    groups = fields.List(fields.Nested(TopGroupSchema), attribute="rows")


class TopCategorySchema(Schema):
    """A category, and whom it does not reach."""

    category = fields.String()
    muted_by = fields.Integer(metadata={"description": "Users who have muted it now"})
    recipients = fields.Integer(metadata={"description": "Entries of the period"})
    suppressed = fields.Integer(metadata={"description": "Those of them that were suppressed because it was muted"})


class TopCategoriesSchema(_CountedSchema):
    """Categories by mutes, the most muted first."""

    categories = fields.List(fields.Nested(TopCategorySchema), attribute="rows")


class TopReasonsSchema(_CountedSchema):
    """Reasons, the most frequent first."""

    reasons = fields.List(fields.Nested(ReasonCountSchema), attribute="rows")


class DeadTargetsSchema(Schema):
    """How many devices are inactive for this reason."""

    reason = fields.String(allow_none=True)
    count = fields.Integer()


class PlatformSchema(Schema):
    """The devices of a platform."""

    platform = fields.String()
    active = fields.Integer()
    dead = fields.Integer()
    reasons = fields.List(fields.Nested(DeadTargetsSchema))


class TopDevicesSchema(Schema):
    """Devices by platform, the most dead targets first."""

    platforms = fields.List(fields.Nested(PlatformSchema))
