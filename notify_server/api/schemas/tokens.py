"""Server tokens."""

from datetime import timedelta
from typing import Any

from marshmallow import Schema, fields, post_load, validate

from notify_server.api.schemas.fields import Instant, Text
from notify_server.services.server_tokens import MAX_NAME, MAX_OVERLAP, OVERLAP, Scope, State


class NewTokenSchema(Schema):
    """A server token to be made: named for who will hold it, with no more scopes than they need."""

    name = Text(MAX_NAME, required=True)
    scopes = fields.List(fields.Enum(Scope, by_value=True), required=True, validate=validate.Length(1, len(Scope)))
    expires_at = Instant(allow_none=True, load_default=None)


class RotationSchema(Schema):
    """How a token is rotated: `overlap` is how many seconds the old secret stays good."""

    may_be_left_out = True

    overlap = fields.Integer(
        strict=True,
        validate=validate.Range(0, int(MAX_OVERLAP.total_seconds())),
        load_default=int(OVERLAP.total_seconds()),
    )
    expires_at = Instant(allow_none=True, load_default=None)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {"overlap": timedelta(seconds=data["overlap"]), "expires": data["expires_at"]}


class TokenSchema(Schema):
    """A server token, by all that may be shown of it."""

    id = fields.String(attribute="_id")
    prefix = fields.String(metadata={"description": "How the token begins"})
    name = fields.String()
    scopes = fields.List(fields.String())
    state = fields.Enum(State, by_value=True)
    created_at = Instant()
    expires_at = Instant(allow_none=True)
    rotated_at = Instant(allow_none=True)
    previous_until = Instant(
        allow_none=True, metadata={"description": "When the secret before the last rotation ends; null when it has"}
    )
    revoked_at = Instant(allow_none=True)
    used_at = Instant(allow_none=True, metadata={"description": "When it was last used, to the minute"})


class IssuedTokenSchema(TokenSchema):
    """A server token with its secret, which is shown this once."""

    token = fields.String()


class TokenPageSchema(Schema):
    """A page of server tokens."""

    tokens = fields.List(fields.Nested(TokenSchema))
    next = fields.String(allow_none=True)
