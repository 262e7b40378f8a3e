"""Registry entries, as they are read."""

from marshmallow import Schema, fields

from notify_server.api.schemas.fields import Instant
from notify_server.api.schemas.paging import PageSchema
from notify_server.domain.registry import Reason, Status


class HistorySchema(Schema):
    """One line of history."""

    status = fields.String(metadata={"enum": [status.value for status in Status]})
    at = Instant()
    detail = fields.String(allow_none=True)


class EntrySchema(Schema):
    """What happened to one recipient of one notification, when, and why not."""

    notification_id = fields.String()
    user_id = fields.String()
    status = fields.String(metadata={"enum": [status.value for status in Status]})
    reason = fields.String(allow_none=True, metadata={"enum": [*(reason.value for reason in Reason), None]})
    groups = fields.List(fields.String())
    attempts = fields.Integer()
    pending_at = Instant(allow_none=True)
    sent_at = Instant(allow_none=True)
    received_at = Instant(allow_none=True)
    read_at = Instant(allow_none=True)
    history = fields.List(fields.Nested(HistorySchema))


class EntryPageSchema(Schema):
    """A page of entries."""

    entries = fields.List(fields.Nested(EntrySchema), required=True)
    next = fields.String(allow_none=True, required=True)


class RegistryQuerySchema(PageSchema):
    """Which entries to list."""

    status = fields.Enum(Status, by_value=True, load_default=None)
