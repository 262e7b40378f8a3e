"""Devices, and what they report."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from notify_server.api.schemas.fields import Id, Instant, Locale, Text
from notify_server.domain.device import Platform, Target, TargetType
from notify_server.domain.registry import Status
from notify_server.services.enrolment import Installation
from notify_server.services.reception import Report

_MAX_TARGET = 4096  # characters; FCM documents no bound, and its tokens have about 160
_TARGET = validate.Regexp(r"[ -~]*\Z", error="Must be ASCII, without control characters.")
_MAX_RECEIPTS = 500
_REPORTED = [Status.RECEIVED.value, Status.READ.value]


class InstallationSchema(Schema):
    """What an app says of itself: exactly one of `token` and `fid`."""

    platform = fields.Enum(Platform, by_value=True, required=True)
    token = fields.String(validate=[validate.Length(1, _MAX_TARGET), _TARGET])
    fid = fields.String(validate=[validate.Length(1, _MAX_TARGET), _TARGET])
    app_version = Text(64, allow_none=True)
    locale = Locale(allow_none=True)

    @validates_schema
    def _has_one_target(self, data: dict[str, Any], **_: Any) -> None:
        if ("token" in data) is ("fid" in data):
            raise ValidationError("Name exactly one of token and fid.", "token")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Installation:
        kind = TargetType.TOKEN if "token" in data else TargetType.FID
        return Installation(
            data["platform"], Target(kind, data[kind.value]), data.get("app_version"), data.get("locale")
        )


class DeviceSchema(Schema):
    """A registered device; its target is never shown."""

    id = fields.String()
    platform = fields.Enum(Platform, by_value=True)
    target_type = fields.Enum(TargetType, by_value=True, attribute="target.type")
    active = fields.Boolean()
    reason = fields.String(allow_none=True)
    registered_at = Instant()
    confirmed_at = Instant()
    stale = fields.Boolean(metadata={"description": "No contact for NOTIFY_DEVICE_STALE_DAYS; still sent to"})
    app_version = fields.String(allow_none=True)
    locale = fields.String(allow_none=True)


class DeviceListSchema(Schema):
    """Every device of a user."""

    devices = fields.List(fields.Nested(DeviceSchema))


class ReceiptSchema(Schema):
    """One receipt; without `at` it counts as now."""

    notification_id = fields.String(required=True, validate=validate.Length(1, 64))
    status = fields.String(required=True, validate=validate.OneOf(_REPORTED))
    at = Instant(allow_none=True, load_default=None)
    device_id = Id(allow_none=True, load_default=None)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Report:
        return Report(data["notification_id"], Status(data["status"]), data["at"], data["device_id"])


class ReceiptsSchema(Schema):
    """A batch of receipts."""

    receipts = fields.List(fields.Nested(ReceiptSchema), required=True, validate=validate.Length(1, _MAX_RECEIPTS))


class RejectedSchema(Schema):
    """A receipt that names no notification of this user."""

    index = fields.Integer()
    error = fields.String()


class ReceivedSchema(Schema):
    """How many receipts were taken, and which were not."""

    accepted = fields.Integer()
    rejected = fields.List(fields.Nested(RejectedSchema))
