"""What the backend is told of notifications."""

from marshmallow import Schema, fields

from notify_server.api.schemas.fields import Instant
from notify_server.api.schemas.notification import ResendSchema
from notify_server.domain import user_fields
from notify_server.domain.notification import Channel, Priority, State
from notify_server.domain.registry import Status

_TEXT = {"type": ["string", "null"]}


class AcceptedSchema(Schema):
    """The answer to an accepted payload."""

    id = fields.String(required=True)
    state = fields.Enum(State, by_value=True, required=True)
    created_at = Instant(required=True)
    expires_at = Instant(required=True)


class CancelledSchema(Schema):
    """How far a cancellation is, in recipients."""

    id = fields.String(required=True)
    state = fields.Enum(State, by_value=True, required=True)
    stopped = fields.Integer(required=True, metadata={"description": "Cancelled so far, in all: they will not get it"})
    in_flight = fields.Integer(
        required=True, metadata={"description": "Being sent to at this moment; they end as sent, or are stopped next"}
    )
    remaining = fields.Integer(
        required=True, metadata={"description": "Not sent to any more, and cancelled in seconds"}
    )
    expanded = fields.Boolean(
        required=True, metadata={"description": "Whether every recipient is counted; else more will be stopped"}
    )


class ResendQueuedSchema(Schema):
    """The answer to a requested resend."""

    id = fields.String(required=True)
    queued = fields.Integer(
        required=True, metadata={"description": "Recipients that stand at sent: they are sent it again"}
    )
    skipped = fields.Integer(
        required=True,
        metadata={"description": "Of the users named, those who are no recipients, or do not stand at sent"},
    )


class ShownMessageSchema(Schema):
    """The message as it was accepted."""

    title = fields.String(allow_none=True)
    body = fields.String(allow_none=True)
    image = fields.String(allow_none=True)
    link = fields.String(allow_none=True)
    data = fields.Dict(keys=fields.String(), values=fields.String())


CountsSchema = Schema.from_dict({status.value: fields.Integer() for status in Status}, name="Counts")
CountsSchema.__doc__ = "How many entries have each status."


class ShownTextSchema(Schema):
    """Title and body in one locale."""

    title = fields.Function(lambda text: user_fields.legible(text.title), metadata=_TEXT)
    body = fields.Function(lambda text: user_fields.legible(text.body), metadata=_TEXT)


class ShownTextsSchema(Schema):
    """What it says by locale, and the version of the template that said so."""

    template = fields.String()
    version = fields.Integer()
    default = fields.String(metadata={"description": "The locale that `message` is in"})
    locales = fields.Dict(keys=fields.String(), values=fields.Nested(ShownTextSchema))


class ListedNotificationSchema(Schema):
    """A notification with its state; the users it names are found in its registry."""

    id = fields.String(attribute="notification.id")
    message = fields.Nested(ShownMessageSchema, attribute="notification.message")
    groups = fields.List(fields.String(), attribute="notification.audience.groups")
    communities = fields.List(fields.String(), attribute="notification.audience.communities")
    everyone = fields.Boolean(attribute="notification.audience.everyone")
    category = fields.String(attribute="notification.category", allow_none=True)
    community = fields.String(attribute="notification.community", allow_none=True)
    channels = fields.List(fields.Enum(Channel, by_value=True), attribute="notification.channels")
    priority = fields.Enum(Priority, by_value=True, attribute="notification.priority")
    ttl = fields.Integer(attribute="notification.ttl")
    send_at = Instant(attribute="notification.send_at", allow_none=True)
    resend = fields.Nested(ResendSchema, attribute="notification.resend")
    mandatory = fields.Boolean(attribute="notification.mandatory")
    push_after = fields.Integer(attribute="notification.push_after", allow_none=True)
    email_after = fields.Integer(attribute="notification.email_after", allow_none=True)
    reply_to = fields.String(attribute="notification.reply_to", allow_none=True)
    action = fields.String(attribute="notification.action", allow_none=True)
    disabled = fields.Boolean(
        attribute="notification.disabled",
        metadata={"description": "Its action was switched off on every channel: its entries are suppressed"},
    )
    texts = fields.Nested(
        ShownTextsSchema,
        attribute="notification.texts",
        allow_none=True,
        metadata={"description": "Where it was made from a template; what is a user's own is named"},
    )
    payload = fields.Dict(keys=fields.String(), attribute="notification.content", allow_none=True)
    created_at = Instant(attribute="notification.created_at")
    expires_at = Instant(attribute="notification.expires_at")
    state = fields.Enum(State, by_value=True, attribute="notification.state")
    recipients = fields.Integer()


class ShownNotificationSchema(ListedNotificationSchema):
    """The same with its entries counted by status."""

    counts = fields.Nested(CountsSchema)
    erased = fields.Nested(
        CountsSchema, metadata={"description": "Entries of people erased since, by the status that they had"}
    )


class NotificationPageSchema(Schema):
    """A page of notifications, newest first; how their entries stand is told of each by itself."""

    notifications = fields.List(fields.Nested(ListedNotificationSchema), required=True)
    next = fields.String(allow_none=True, required=True)
