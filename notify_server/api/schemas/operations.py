"""What probes are told."""

from marshmallow import Schema, fields

from notify_server.api.schemas.fields import Instant
from notify_server.domain.pace import Condition
from notify_server.domain.registry import Reason


class StatusSchema(Schema):
    """One word."""

    status = fields.String(required=True)


class ChannelSchema(Schema):
    """How a channel does: where it is paused, why, since when, and when it is tried next; and messages a second."""

    state = fields.Enum(Condition, by_value=True, required=True)
    reason = fields.Enum(Reason, by_value=True, required=True, allow_none=True)
    since = Instant(required=True, allow_none=True)
    until = Instant(required=True, allow_none=True)
    rate = fields.Float(required=True)


class ReadinessSchema(StatusSchema):
    """That requests are served, and how the channels do."""

    channels = fields.Dict(keys=fields.String(), values=fields.Nested(ChannelSchema), required=True)
