"""Devices, as apps register them and as they are shown."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from notify_server.api.schemas.fields import Instant, Locale, Text
from notify_server.domain.device import Platform, Target, TargetType
from notify_server.services.enrolment import Installation

_MAX_TARGET = 4096  # characters; FCM documents no bound, and its tokens have about 160
_TARGET = validate.Regexp(r"[ -~]*\Z", error="Must be ASCII, without control characters.")


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
