"""The export of the registry."""

from marshmallow import Schema, fields, validate

from notify_server.api.schemas.fields import Id, Instant
from notify_server.domain.registry import Status

REGISTRY_EXPORT = {
    "type": "string",
    "description": "Records, each on a line of its own, as docs/statistics.md lists them",
}


class ExportQuerySchema(Schema):
    """Which entries; `from` and `to` bound the time at which they were entered."""

    from_ = Instant(data_key="from", attribute="start")
    to = Instant(attribute="end", metadata={"description": "By default the time of the first request"})
    category = Id()
    community = Id()
    group = Id(metadata={"description": "Reached through this group"})
    status = fields.Enum(Status, by_value=True)
    notification = fields.String(validate=validate.Length(1, 64))
    cursor = fields.String(
        validate=validate.Length(1, 1024),
        metadata={"description": "That of the last whole line that arrived; the other parameters stay the same"},
    )
