"""The audit log, as it is read."""

from marshmallow import Schema, fields, validate

from notify_server.api.schemas.fields import Id, Instant
from notify_server.api.schemas.paging import PageSchema
from notify_server.services.audit import Kind

_MAX_ACTION = 100


class AuditQuerySchema(PageSchema):
    """Which lines to list; `from` and `to` bound the time at which the change began."""

    actor = Id(metadata={"description": "The id of a server token or of a user, or the name of an account"})
    action = fields.String(validate=validate.Length(1, _MAX_ACTION), metadata={"example": "users.erase"})
    object = Id(metadata={"description": "The id of what was changed; also that of a person who was erased since"})
    from_ = Instant(data_key="from", attribute="from")
    to = Instant()


class PartySchema(Schema):
    """An actor or an object."""

    kind = fields.Enum(Kind, by_value=True)
    id = fields.String()
    pseudonym = fields.Boolean(
        metadata={
            "description": "The id stands for who was erased or never was; the line's own: for what they did themselves"
        }
    )


class ActorSchema(Schema):
    """Who made the change; `name` and `prefix` are those of a server token."""

    kind = fields.Enum(Kind, by_value=True, attribute="party.kind")
    id = fields.String(attribute="party.id")
    pseudonym = fields.Boolean(attribute="party.pseudonym")
    name = fields.String(allow_none=True)
    prefix = fields.String(allow_none=True)


class LineSchema(Schema):
    """A change: who, what, when, from where. It names the fields that were given, and never a value."""

    id = fields.String(attribute="line.id")
    at = Instant(attribute="line.at")
    actor = fields.Nested(ActorSchema)
    action = fields.String(attribute="line.change.action")
    route = fields.String(attribute="line.change.route", allow_none=True)
    object = fields.Nested(PartySchema, attribute="line.change.object", allow_none=True)
    fields_ = fields.List(fields.String(), attribute="line.change.fields", data_key="fields")
    address = fields.String(attribute="line.change.address", allow_none=True)
    status = fields.Integer(
        attribute="line.status",
        allow_none=True,
        metadata={"description": "The HTTP status of the answer; null: it is not known whether the change was made"},
    )


class LinePageSchema(Schema):
    """A page of the log, newest first."""

    lines = fields.List(fields.Nested(LineSchema), required=True)
    next = fields.String(allow_none=True, required=True)
