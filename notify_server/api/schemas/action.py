"""Actions, as they are set and looked at."""

from datetime import UTC, datetime
from typing import Any

from marshmallow import Schema, fields, post_load, validate

from notify_server.api.schemas.fields import Flag, Id, Instant, Name
from notify_server.domain.action import Action
from notify_server.domain.notification import Channel

_NOT_YET = datetime.fromtimestamp(0, UTC)


class ActionSchema(Schema):
    """How users are told of what happened."""

    template = Name(required=True)
    category = Id(
        allow_none=True, load_default=None, metadata={"description": "What users can mute; null: that of the template"}
    )
    channels = fields.List(
        fields.Enum(Channel, by_value=True), validate=validate.Length(min=1), load_default=lambda: [Channel.PUSH]
    )
    notification_enabled = Flag(load_default=True, metadata={"description": "Whether push and realtime are used"})
    mail_enabled = Flag(load_default=True, metadata={"description": "Whether email is used"})
    mandatory = Flag(
        load_default=False,
        metadata={"description": "Sent also to those who have muted it, and without a way to unsubscribe from it"},
    )

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Action:
        channels = tuple(dict.fromkeys(data.pop("channels")))
        return Action(name="", channels=channels, updated_at=_NOT_YET, **data)


class ShownActionSchema(Schema):
    """An action."""

    name = fields.String()
    template = fields.String()
    category = fields.String(allow_none=True)
    channels = fields.List(fields.Enum(Channel, by_value=True))
    notification_enabled = fields.Boolean()
    mail_enabled = fields.Boolean()
    mandatory = fields.Boolean()
    updated_at = Instant()
    pack = fields.String(
        allow_none=True, metadata={"description": "The pack that it was installed from; null: somebody has set it"}
    )


class ActionPageSchema(Schema):
    """A page of actions by name."""

    actions = fields.List(fields.Nested(ShownActionSchema), required=True)
    next = fields.String(allow_none=True, required=True)
