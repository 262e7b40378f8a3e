"""The internal endpoint of the realtime channel: a payload for the open apps of some users."""

import json
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate

from notify_server.api.schemas.fields import Id
from notify_server.domain import text
from notify_server.domain.notification import DEFAULT_TTL, MAX_TTL, Audience, Channel, Message, Priority
from notify_server.services.acceptance import Draft

MAX_USERS = 10_000
MAX_PAYLOAD = 64 * 1024  # bytes of JSON in UTF-8, without spaces
_MAX_TITLE, _MAX_BODY = 1024, 4096  # characters that an inbox shows


class RealtimeOptionsSchema(Schema):
    """How long the payload can be replayed (seconds), and what it is about."""

    ttl = fields.Integer(strict=True, validate=validate.Range(1, MAX_TTL), load_default=DEFAULT_TTL)
    category = Id(allow_none=True, load_default=None)


class RealtimeNotifySchema(Schema):
    """A payload for the users' open apps, which get exactly this object; the inbox shows its `title` and `body`."""

    user_ids = fields.List(Id(), data_key="userIds", required=True, validate=validate.Length(1, MAX_USERS))
    payload = fields.Dict(
        keys=fields.String(),
        required=True,
        metadata={"description": f"Any JSON object of at most {MAX_PAYLOAD:,} bytes", "additionalProperties": True},
    )
    options = fields.Nested(RealtimeOptionsSchema, load_default=dict)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Draft:
        payload, options = data["payload"], data["options"]
        written = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
        if len(written.encode()) > MAX_PAYLOAD:
            raise ValidationError(f"Must not be longer than {MAX_PAYLOAD} bytes.", "payload")
        return Draft(
            message=Message(_shown(payload, "title", _MAX_TITLE), _shown(payload, "body", _MAX_BODY, lines=True)),
            audience=Audience(tuple(sorted(set(data["user_ids"])))),
            category=options.get("category"),
            channels=(Channel.REALTIME,),
            priority=Priority.HIGH,
            ttl=options.get("ttl", DEFAULT_TTL),
            payload=written,
        )


class RealtimeQueuedSchema(Schema):
    """The answer to a payload that is durably queued."""

    status = fields.Constant("queued", metadata={"type": "string", "enum": ["queued"]})
    id = fields.String(required=True)


def _shown(payload: dict[str, Any], name: str, most: int, *, lines: bool = False) -> str | None:
    """What an inbox can show of a payload: text that a message could have had, or else nothing."""
    value = payload.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= most:
        return None
    normal = text.nfc(value)
    return None if len(normal) > most or text.fault(normal, lines=lines) else normal
