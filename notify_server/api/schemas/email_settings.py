"""The settings of the channel email. Secrets go in and never come out."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from notify_server.api.schemas.fields import Instant, Text
from notify_server.api.schemas.mailed_notification import OwnMailbox
from notify_server.channels.mail.sendgrid_events import is_key
from notify_server.domain.email_settings import EmailSettings, SmtpServer
from notify_server.domain.mail import Address, Security, Service

_LOCAL = {"localhost", "127.0.0.1", "::1"}
_LABEL = "[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_ADDRESS = "[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*"
_HOST = [
    validate.Length(max=253),
    validate.Regexp(rf"({_LABEL}(\.{_LABEL})*|{_ADDRESS})\Z", error="Must be a host name or an address."),
]
_SECRET = validate.Length(1, 1024)
_KEY = validate.Regexp(r"[!-~]+\Z", error="Must have no spaces, and no characters beyond ASCII.")  # it is a header
_SOURCES = ["stored", "environment", None]


class SenderSchema(Schema):
    """Whom mails come from."""

    address = OwnMailbox(required=True)
    name = Text(128, allow_none=True, load_default=None)

    @validates_schema
    def _is_plain(self, data: dict[str, Any], **_: Any) -> None:
        if "=?" in (data.get("name") or ""):
            raise ValidationError("Must hold no encoded word (RFC 2047).", "name")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Address:
        return Address(**data)


class SmtpSchema(Schema):
    """An SMTP server. `password` is never shown; left out, the stored one stays while everything else here stays."""

    host = fields.String(required=True, validate=_HOST)
    port = fields.Integer(strict=True, required=True, validate=validate.Range(1, 65_535))
    security = fields.Enum(Security, by_value=True, load_default=Security.STARTTLS)
    username = Text(256, allow_none=True, load_default=None)
    password = fields.String(allow_none=True, load_default=None, load_only=True, validate=_SECRET)

    @validates_schema
    def _keeps_secrets(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("password") and not data.get("username"):
            raise ValidationError("Needs a username.", "password")
        if data.get("security") is Security.NONE and data.get("username") and data.get("host") not in _LOCAL:
            raise ValidationError("A password is not sent unencrypted: starttls or tls.", "security")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> SmtpServer:
        return SmtpServer(**data)


class SendgridSchema(Schema):
    """SendGrid. `key` is never shown; left out, the stored one stays. `webhook_key` is the public verification key."""

    key = fields.String(allow_none=True, load_default=None, load_only=True, validate=[_SECRET, _KEY])
    webhook_key = fields.String(allow_none=True, load_default=None, validate=validate.Length(1, 512))

    @validates_schema
    def _verifies(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("webhook_key") and not is_key(data["webhook_key"]):
            raise ValidationError("Must be the verification key as SendGrid shows it.", "webhook_key")


class EmailSettingsSchema(Schema):
    """How mail goes out from now on; what is left out is not set."""

    service = fields.Enum(Service, by_value=True, required=True)
    from_ = fields.Nested(SenderSchema, data_key="from", attribute="sender", allow_none=True, load_default=None)
    reply_to = OwnMailbox(allow_none=True, load_default=None)
    smtp = fields.Nested(SmtpSchema, allow_none=True, load_default=None)
    sendgrid = fields.Nested(SendgridSchema, allow_none=True, load_default=None)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> EmailSettings:
        sendgrid = data.pop("sendgrid") or {}
        return EmailSettings(**data, sendgrid_key=sendgrid.get("key"), webhook_key=sendgrid.get("webhook_key"))


class ShownSenderSchema(Schema):
    """Whom mails come from."""

    address = fields.String()
    name = fields.String(allow_none=True)


class ShownSmtpSchema(Schema):
    """An SMTP server."""

    host = fields.String()
    port = fields.Integer()
    security = fields.Enum(Security, by_value=True)
    username = fields.String(allow_none=True)


class SecretsSchema(Schema):
    """Where each secret comes from; null: there is none."""

    smtp_password = fields.String(allow_none=True, metadata={"enum": _SOURCES})
    sendgrid_key = fields.String(allow_none=True, metadata={"enum": _SOURCES})


class ShownEmailSettingsSchema(Schema):
    """How mail goes out, without secrets. `version` is 0 while nothing is set."""

    service = fields.Enum(Service, by_value=True, attribute="settings.service")
    from_ = fields.Nested(ShownSenderSchema, data_key="from", attribute="settings.sender", allow_none=True)
    reply_to = fields.String(attribute="settings.reply_to", allow_none=True)
    smtp = fields.Nested(ShownSmtpSchema, attribute="settings.smtp", allow_none=True)
    webhook_key = fields.String(attribute="settings.webhook_key", allow_none=True)
    secrets = fields.Nested(SecretsSchema)
    version = fields.Integer(attribute="settings.version")
    updated_at = Instant(allow_none=True)
