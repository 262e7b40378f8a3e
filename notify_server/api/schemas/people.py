"""Users, groups and user tokens."""

from marshmallow import Schema, fields, validate

from notify_server.api.schemas.fields import Id, Instant, Locale, TimeZone

_MAX_MEMBERS = 100_000
_MAX_GROUPS = 10_000
NDJSON = "application/x-ndjson"
EXPORT = {"type": "string", "description": "Records, each on a line of its own, as docs/privacy.md lists them"}


class ProfileSchema(Schema):
    """What the backend says of a user; what is left out stays as it is."""

    community = Id(allow_none=True)
    groups = fields.List(Id(), validate=validate.Length(max=_MAX_GROUPS))
    email = fields.Email(allow_none=True, validate=validate.Length(max=254))
    locale = Locale(allow_none=True)
    timezone = TimeZone(allow_none=True, metadata={"description": "A name of the IANA time zone database"})


class UserSchema(Schema):
    """A user."""

    id = fields.String()
    community = fields.String(allow_none=True)
    groups = fields.List(fields.String())
    email = fields.String(allow_none=True)
    locale = fields.String(allow_none=True)
    timezone = fields.String(allow_none=True)
    created_at = Instant(allow_none=True)


class ErasedCountsSchema(Schema):
    """How much was removed."""

    devices = fields.Integer()
    entries = fields.Integer(metadata={"description": "Registry entries; counted on in their notifications"})
    mails = fields.Integer(metadata={"description": "Lines of the mail registry, and what was written to them alone"})
    profiles = fields.Integer()


class ErasedSchema(Schema):
    """What was removed of a person: the proof of an erasure."""

    pseudonym = fields.String(metadata={"description": "What the audit log calls the person from now on"})
    at = Instant(metadata={"description": "What was accepted until then cannot bring the person back"})
    erased = fields.Nested(ErasedCountsSchema)
    complete = fields.Boolean(
        metadata={"description": "False while something is being expanded or sent; the rest follows by itself"}
    )


class NothingSchema(Schema):
    """The body of a request that needs none."""


class UserTokenSchema(Schema):
    """A fresh user token, and when it ends."""

    token = fields.String()
    expires_at = Instant()


class GroupSchema(Schema):
    """A group; `members`, where given, replaces everyone in it."""

    community = Id(allow_none=True, load_default=None)
    members = fields.List(Id(), validate=validate.Length(max=_MAX_MEMBERS), load_default=None)


class MemberChangeSchema(Schema):
    """Who joins and who leaves."""

    add = fields.List(Id(), validate=validate.Length(max=_MAX_MEMBERS), load_default=list)
    remove = fields.List(Id(), validate=validate.Length(max=_MAX_MEMBERS), load_default=list)


class MemberChangedSchema(Schema):
    """How many users joined and left."""

    added = fields.Integer()
    removed = fields.Integer()


class ShownGroupSchema(Schema):
    """A group with a page of its members."""

    id = fields.String()
    community = fields.String(allow_none=True)
    created_at = Instant()
    member_count = fields.Integer()
    members = fields.List(fields.String())
    next = fields.String(allow_none=True)
