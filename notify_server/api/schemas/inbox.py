"""The inbox, as its user's devices see it."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_dump, post_load, validate, validates_schema

from notify_server.api.schemas.fields import Flag, Id, Instant
from notify_server.api.schemas.paging import PageSchema
from notify_server.domain.registry import Status
from notify_server.services.inbox import Marked, View

_MAX_NAMES = 1000


class InboxQuerySchema(PageSchema):
    """What to list; `group` is one through which the user was reached."""

    state = fields.Enum(View, by_value=True, load_default=View.ALL)
    group = Id(load_default=None)
    category = Id(load_default=None)


class InboxItemSchema(Schema):
    """A notification as its recipient finds it."""

    sometimes = ("payload",)

    id = fields.String(attribute="notification.id")
    title = fields.String(attribute="notification.message.title", allow_none=True)
    body = fields.String(attribute="notification.message.body", allow_none=True)
    image = fields.String(attribute="notification.message.image", allow_none=True)
    link = fields.String(attribute="notification.message.link", allow_none=True)
    data = fields.Dict(keys=fields.String(), values=fields.String(), attribute="notification.message.data")
    category = fields.String(attribute="notification.category", allow_none=True)
    groups = fields.List(
        fields.String(), metadata={"description": "Those addressed through which the user was reached"}
    )
    status = fields.Enum(Status, by_value=True)
    is_read = fields.Boolean(metadata={"description": "The user's own mark, which they can take back"})
    created_at = Instant(attribute="notification.created_at")
    read_at = Instant(
        allow_none=True, metadata={"description": "When it was first read; stays when is_read is taken back"}
    )

    payload = fields.Dict(
        keys=fields.String(),
        attribute="notification.content",
        metadata={"description": "What the open apps got in place of this item; only where it was such a payload"},
    )

    @post_dump
    def _leave_out(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        if data["payload"] is None:
            del data["payload"]
        return data


class InboxPageSchema(Schema):
    """A page of the inbox, newest first, and how many are unread in the whole inbox."""

    notifications = fields.List(fields.Nested(InboxItemSchema), required=True)
    next = fields.String(allow_none=True, required=True)
    unread = fields.Integer(required=True)


class InboxCountsSchema(Schema):
    """What is unread: in all, and by each group and category of which anything is."""

    unread = fields.Integer(required=True)
    groups = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    categories = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)


class ReadMarkSchema(Schema):
    """The one thing that a user can change."""

    is_read = Flag(required=True)


class MarkReadSchema(Schema):
    """What to mark as read: what came through any of `groups` or is of any of `categories`, or `all`."""

    groups = fields.List(Id(), validate=validate.Length(max=_MAX_NAMES), load_default=list)
    categories = fields.List(Id(), validate=validate.Length(max=_MAX_NAMES), load_default=list)
    all = Flag(load_default=False)
    before = Instant(
        allow_none=True,
        load_default=None,
        metadata={"description": "Only what was accepted (`created_at`) before this time"},
    )

    @validates_schema
    def _selects(self, data: dict[str, Any], **_: Any) -> None:
        named = bool(data.get("groups") or data.get("categories"))
        if named is data.get("all", False):
            raise ValidationError("Name groups or categories, or else set all.", "all")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Marked:
        named = {} if data["all"] else {name: data[name] for name in ("groups", "categories") if data[name]}
        return Marked(**named, before=data["before"])


class MarkedSchema(Schema):
    """How many entries were unread, and are read now."""

    updated = fields.Integer(required=True)
