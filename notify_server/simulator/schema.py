"""The JSON form of FCM's SendMessageRequest, field by field.

Source: FCM HTTP v1 reference, projects.messages and projects.messages.send. As in every proto3 JSON mapping, a name
may be written in snake_case or in lowerCamelCase, and null means absent.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from notify_server.simulator import values

Check = Callable[[Any], str | None]
_PACKAGE = "google.firebase.fcm.v1"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value that `check` accepts (None) or names the expected type of."""

    check: Check


@dataclass(frozen=True, slots=True)
class Repeated:
    """A list of scalars."""

    item: Scalar


@dataclass(frozen=True, slots=True)
class StringMap:
    """map<string, string>."""


@dataclass(frozen=True, slots=True)
class Struct:
    """Any JSON object: google.protobuf.Struct."""


@dataclass(frozen=True, slots=True)
class Record:
    """A message with named fields. `fields` has both spellings of every name."""

    name: str
    fields: Mapping[str, "Kind"]


Kind = Scalar | Repeated | StringMap | Struct | Record


def camel(name: str) -> str:
    """`collapse_key` → `collapseKey`."""
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


def _record(type_name: str, /, **fields: Kind) -> Record:
    return Record(f"{_PACKAGE}.{type_name}", {**fields, **{camel(key): kind for key, kind in fields.items()}})


def _enum(name: str, *allowed: str) -> Scalar:
    return Scalar(values.enum(f"{_PACKAGE}.{name}", frozenset(allowed)))


STRING, BOOL, INT32, FLOAT = (Scalar(check) for check in (values.string, values.boolean, values.int32, values.number))
DURATION, TIMESTAMP = Scalar(values.duration), Scalar(values.timestamp)

_COLOR = Record("google.type.Color", {"red": FLOAT, "green": FLOAT, "blue": FLOAT, "alpha": FLOAT})
_LIGHTS = _record("LightSettings", color=_COLOR, light_on_duration=DURATION, light_off_duration=DURATION)
_PRIORITIES = (
    "PRIORITY_UNSPECIFIED",
    "PRIORITY_MIN",
    "PRIORITY_LOW",
    "PRIORITY_DEFAULT",
    "PRIORITY_HIGH",
    "PRIORITY_MAX",
)
ANDROID_NOTIFICATION = _record(
    "AndroidNotification",
    **dict.fromkeys(("title", "body", "icon", "color", "sound", "tag", "click_action", "image"), STRING),
    **dict.fromkeys(("body_loc_key", "title_loc_key", "channel_id", "ticker"), STRING),
    body_loc_args=Repeated(STRING),
    title_loc_args=Repeated(STRING),
    **dict.fromkeys(("sticky", "local_only", "default_sound", "default_vibrate_timings"), BOOL),
    **dict.fromkeys(("default_light_settings", "bypass_proxy_notification"), BOOL),
    event_time=TIMESTAMP,
    notification_priority=_enum("AndroidNotification.NotificationPriority", *_PRIORITIES),
    vibrate_timings=Repeated(DURATION),
    visibility=_enum("AndroidNotification.Visibility", "VISIBILITY_UNSPECIFIED", "PRIVATE", "PUBLIC", "SECRET"),
    notification_count=INT32,
    light_settings=_LIGHTS,
    proxy=_enum("AndroidNotification.Proxy", "PROXY_UNSPECIFIED", "ALLOW", "DENY", "IF_PRIORITY_LOWERED"),
)
ANDROID = _record(
    "AndroidConfig",
    collapse_key=STRING,
    priority=_enum("AndroidConfig.AndroidMessagePriority", "NORMAL", "HIGH"),
    ttl=DURATION,
    restricted_package_name=STRING,
    data=StringMap(),
    notification=ANDROID_NOTIFICATION,
    fcm_options=_record("AndroidFcmOptions", analytics_label=STRING),
    **dict.fromkeys(("direct_boot_ok", "bandwidth_constrained_ok", "restricted_satellite_ok"), BOOL),
)
WEBPUSH = _record(
    "WebpushConfig",
    headers=StringMap(),
    data=StringMap(),
    notification=Struct(),
    fcm_options=_record("WebpushFcmOptions", link=STRING, analytics_label=STRING),
)
APNS = _record(
    "ApnsConfig",
    headers=StringMap(),
    payload=Struct(),
    fcm_options=_record("ApnsFcmOptions", analytics_label=STRING, image=STRING),
    live_activity_token=STRING,
)
TARGETS = ("token", "fid", "topic", "condition")
MESSAGE = _record(
    "Message",
    name=STRING,
    data=StringMap(),
    notification=_record("Notification", title=STRING, body=STRING, image=STRING),
    android=ANDROID,
    webpush=WEBPUSH,
    apns=APNS,
    fcm_options=_record("FcmOptions", analytics_label=STRING),
    **dict.fromkeys(TARGETS, STRING),
)
REQUEST = _record("SendMessageRequest", validate_only=BOOL, message=MESSAGE)
