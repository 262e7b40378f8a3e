"""What a notification may bring along for the channel email."""

import base64
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from notify_server.api.schemas.fields import Text
from notify_server.channels.mail.composition import mailbox
from notify_server.domain.mail import Address
from notify_server.domain.notification import Attachment

MAX_ATTACHMENTS = 10
MAX_ATTACHED = 1024 * 1024  # bytes of all attachments together, decoded
MAX_EMAIL_AFTER = 2_419_200  # seconds


class Mailbox(fields.Email):
    """An address as it can stand in a header."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=validate.Length(max=254), **kwargs)


class OwnMailbox(Mailbox):
    """An address of the backend's own, that stands in each mail: one that every mail server takes."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        address = super()._deserialize(value, attr, data, **kwargs)
        try:
            mailbox(Address(address))
        except ValueError:
            problem = "Must be an address that every mail server takes: ASCII before the @, and a domain after it."
            raise ValidationError(problem) from None
        return address


class AttachmentSchema(Schema):
    """A small file that goes with the mail; `content` is in base64."""

    name = Text(128, required=True)
    type = fields.String(
        required=True,
        validate=[
            validate.Length(max=127),
            validate.Regexp(
                r"(application|audio|font|image|model|text|video)/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*\Z",
                error="Must be a media type such as application/pdf.",
            ),
        ],
    )
    content = fields.String(required=True, validate=validate.Length(1, 2 * MAX_ATTACHED))

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Attachment:
        if "/" in data["name"] or "\\" in data["name"]:
            raise ValidationError("Must be a file name, without a path.", "name")
        if "=?" in data["name"]:
            raise ValidationError("Must hold no encoded word (RFC 2047).", "name")
        try:
            content = base64.b64decode(data["content"], validate=True)
        except ValueError:
            raise ValidationError("Must be base64.", "content") from None
        return Attachment(data["name"], data["type"], content)


class EmailSchema(Schema):
    """For mails alone: where answers go, and files that go with each mail, together at most 1,048,576 bytes."""

    reply_to = OwnMailbox(allow_none=True, load_default=None)
    attachments = fields.List(
        fields.Nested(AttachmentSchema), validate=validate.Length(max=MAX_ATTACHMENTS), load_default=list
    )

    @validates_schema
    def _fits(self, data: dict[str, Any], **_: Any) -> None:
        size = sum(len(attachment.content) for attachment in data.get("attachments", ()))
        if size > MAX_ATTACHED:
            raise ValidationError(f"Have {size} bytes together; may have {MAX_ATTACHED}.", "attachments")
