"""The mail registry, as it is read."""

from marshmallow import Schema, fields

from notify_server.api.schemas.fields import Id, Instant
from notify_server.api.schemas.mailed_notification import Mailbox
from notify_server.api.schemas.paging import PageSchema
from notify_server.domain.registry import Reason, Status


class MailSchema(Schema):
    """A mail: to whom, of what, and what became of it.

    `sent`: its service accepted it; `received`: the recipient's server has it; `read`: it was opened.
    """

    id = fields.String()
    notification_id = fields.String(attribute="notification")
    recipient = fields.String(attribute="user", metadata={"description": "The user's id"})
    address = fields.String(allow_none=True, metadata={"description": "Where it was sent; null: nowhere yet"})
    action = fields.String(allow_none=True)
    template = fields.String(allow_none=True)
    category = fields.String(allow_none=True)
    locale = fields.String(allow_none=True)
    subject = fields.String(allow_none=True)
    status = fields.Enum(Status, by_value=True)
    reason = fields.Enum(Reason, by_value=True, allow_none=True)
    detail = fields.String(allow_none=True, metadata={"description": "Codes of the mail service, without its words"})
    attempts = fields.Integer()
    service = fields.String(allow_none=True)
    provider_id = fields.String(allow_none=True, metadata={"description": "The mail service's own id of it"})
    message_id = fields.String(allow_none=True)
    doubtful = fields.Boolean(
        metadata={"description": "A connection broke after it was handed over: it may have been sent twice"}
    )
    created_at = Instant()
    sent_at = Instant(allow_none=True)
    received_at = Instant(allow_none=True)
    read_at = Instant(allow_none=True)


class MailMessageSchema(Schema):
    """What a mail says."""

    subject = fields.String()
    text = fields.String()
    html = fields.String(allow_none=True)


class ShownMailSchema(MailSchema):
    """The same with its message; null: nothing was written, or it is not kept any more."""

    message = fields.Nested(MailMessageSchema, allow_none=True)


class MailPageSchema(Schema):
    """A page of mails, those of the newest notifications first."""

    mails = fields.List(fields.Nested(MailSchema), required=True)
    next = fields.String(allow_none=True, required=True)


class MailQuerySchema(PageSchema):
    """Which mails to list; `from` and `to` bound the time when their notification was accepted."""

    recipient = Id()
    action = Id()
    status = fields.Enum(Status, by_value=True)
    from_ = Instant(data_key="from", attribute="from")
    to = Instant()


class MailAddressSchema(Schema):
    """An address that may be mailed again."""

    address = Mailbox(required=True)


class AllowedSchema(Schema):
    """Whether it was blocked before."""

    allowed = fields.Boolean(required=True)
