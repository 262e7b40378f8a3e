"""A notification as the backend sends it, and what else it asks of one."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from notify_server.api.schemas.fields import DataKey, Flag, Id, Instant, Link, Name, Text
from notify_server.api.schemas.mailed_notification import MAX_EMAIL_AFTER, EmailSchema
from notify_server.api.schemas.paging import PageSchema
from notify_server.api.schemas.plain_notification import MAX_BODY, MAX_NAMED, MAX_TITLE, OFFERED, faultless
from notify_server.domain.notification import (
    DEFAULT_TTL,
    MAX_TTL,
    MAX_USERS,
    Audience,
    Channel,
    Message,
    Priority,
    ResendPolicy,
    State,
)
from notify_server.services.acceptance import Draft

_MAX_PUSH_AFTER = 86_400  # seconds


class MessageSchema(Schema):
    """What the user sees, and what the app gets: at least a title, a body or data.

    At most what FCM takes, 4,096 bytes; without push 65,536 bytes as compact JSON in UTF-8.
    """

    title = Text(MAX_TITLE, allow_none=True)
    body = Text(MAX_BODY, lines=True, allow_none=True)
    image = Link("https", allow_none=True)
    link = Link(allow_none=True, metadata={"description": "https, or a scheme of NOTIFY_LINK_SCHEMES"})
    data = fields.Dict(
        keys=DataKey(),
        values=fields.String(),
        metadata={"description": "The app's own; not link, category and notification_id, nor what FCM reserves"},
    )

    @validates_schema
    def _says_something(self, data: dict[str, Any], **_: Any) -> None:
        if not (data.get("title") or data.get("body") or data.get("data")):
            raise ValidationError("Needs a title, a body or data.")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Message:
        return Message(**data)


class ResendSchema(Schema):
    """When an unconfirmed notification is sent again: `after` seconds, at most `times` times, doubling the wait."""

    after = fields.Integer(strict=True, validate=validate.Range(10, MAX_TTL), load_default=900)
    times = fields.Integer(strict=True, validate=validate.Range(0, 10), load_default=2)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> ResendPolicy:
        return ResendPolicy(**data)


class NotificationSchema(Schema):
    """A notification to be accepted, for at least one of users, groups, communities or everyone.

    It says one of three things: a message, a template with variables, or an action with variables.
    """

    one_of = ("message", "template", "action")

    message = fields.Nested(MessageSchema)
    template = Name(
        metadata={"description": "A template in place of a message: it is rendered for each reader's locale"}
    )
    action = Name(metadata={"description": "An action in place of both: it names template, category and channels"})
    variables = fields.Dict(
        keys=fields.String(),
        values=fields.Raw(allow_none=True),
        load_default=dict,
        metadata={"description": "What the template shows"},
    )
    users = fields.List(Id(), validate=validate.Length(max=MAX_USERS), load_default=list)
    groups = fields.List(Id(), validate=validate.Length(max=MAX_NAMED), load_default=list)
    communities = fields.List(Id(), validate=validate.Length(max=MAX_NAMED), load_default=list)
    everyone = Flag(load_default=False)
    category = Id(allow_none=True, load_default=None)
    community = Id(allow_none=True, load_default=None)
    channels = fields.List(
        fields.Enum(Channel, by_value=True, validate=validate.OneOf(OFFERED)),
        validate=validate.Length(min=1),
        load_default=None,
        metadata={"description": "Left out: those of the action, or else push"},
    )
    priority = fields.Enum(Priority, by_value=True, load_default=Priority.NORMAL)
    ttl = fields.Integer(strict=True, validate=validate.Range(1, MAX_TTL), load_default=DEFAULT_TTL)
    send_at = Instant(allow_none=True, load_default=None)
    resend = fields.Nested(ResendSchema, load_default=ResendPolicy)
    mandatory = Flag(
        allow_none=True,
        load_default=None,
        metadata={
            "description": "Sent also to those who have muted it; null or left out: as the action says, or else not"
        },
    )
    push_after = fields.Integer(
        strict=True,
        allow_none=True,
        validate=validate.Range(1, _MAX_PUSH_AFTER),
        load_default=None,
        metadata={"description": "Seconds until push goes to those who have sent no receipt; null: at once"},
    )
    email_after = fields.Integer(
        strict=True,
        allow_none=True,
        validate=validate.Range(1, MAX_EMAIL_AFTER),
        load_default=None,
        metadata={"description": "Seconds until mail goes to those who have not read it; null: at once"},
    )
    email = fields.Nested(EmailSchema, allow_none=True, load_default=None)

    def load(self, data: Any, **options: Any) -> Any:
        """As in marshmallow; a payload without faults is read at once."""
        draft = faultless(data)
        return super().load(data, **options) if draft is None else draft

    @validates_schema
    def _addresses_someone(self, data: dict[str, Any], **_: Any) -> None:
        if not any(data.get(name) for name in ("users", "groups", "communities", "everyone")):
            raise ValidationError("Name at least one of users, groups, communities or everyone.", "users")

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def _says_one_thing(self, _: dict[str, Any], original: Any, **__: Any) -> None:
        if not isinstance(original, dict):
            return
        said = [name for name in self.one_of if name in original]
        if len(said) != 1:
            raise ValidationError("Give one of message, template and action.", said[-1] if said else "message")
        if said == ["message"] and original.get("variables"):
            raise ValidationError("Are for a template or an action.", "variables")

    @validates_schema
    def _can_wait(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("push_after") is None:
            return
        if "action" not in data and not {Channel.PUSH, Channel.REALTIME} <= set(data.get("channels") or ()):
            raise ValidationError("Needs both channels, realtime and push.", "push_after")
        if data["push_after"] >= data.get("ttl", DEFAULT_TTL):
            raise ValidationError("Must be less than ttl.", "push_after")

    @validates_schema
    def _can_be_mailed(self, data: dict[str, Any], **_: Any) -> None:
        given = [name for name in ("email", "email_after") if data.get(name) is not None]
        if given and "action" not in data and Channel.EMAIL not in (data.get("channels") or ()):
            raise ValidationError("Needs the channel email.", given[0])
        if data.get("email_after") is not None and data["email_after"] >= data.get("ttl", DEFAULT_TTL):
            raise ValidationError("Must be less than ttl.", "email_after")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Draft:
        mailed = data.pop("email") or {}
        data |= {"reply_to": mailed.get("reply_to"), "attachments": tuple(mailed.get("attachments", ()))}
        named = {name: tuple(sorted(set(data.pop(name)))) for name in ("users", "groups", "communities")}
        audience = Audience(everyone=data.pop("everyone"), **named)
        channels = data.pop("channels") or (None if "action" in data else [Channel.PUSH])
        named_channels = None if channels is None else tuple(dict.fromkeys(channels))
        return Draft(data.pop("message", None), audience, channels=named_channels, **data)


class AcceptanceHeadersSchema(Schema):
    """What may come along with a payload."""

    key = fields.String(
        data_key="Idempotency-Key",
        load_default=None,
        validate=validate.Length(1, 255),
        metadata={"description": "The same key and payload give the same notification again, and no second one"},
    )

    def load(self, data: Any, **options: Any) -> Any:
        """As in marshmallow; most requests bring none."""
        return super().load(data, **options) if "Idempotency-Key" in data else {"key": None}


class RequestedResendSchema(Schema):
    """To whom to send again; without `users`, to every recipient who has not confirmed it."""

    may_be_left_out = True

    users = fields.List(Id(), validate=validate.Length(1, MAX_USERS), load_default=None)


class NotificationQuerySchema(PageSchema):
    """Which notifications to list; `from` and `to` bound the time of acceptance."""

    category = Id()
    community = Id()
    state = fields.Enum(State, by_value=True)
    from_ = Instant(data_key="from", attribute="from")
    to = Instant()
