"""What FCM refuses in a message whose structure is right: sizes, reserved names, times to live, formats.

Source: FCM HTTP v1 reference (projects.messages, ErrorCode INVALID_ARGUMENT) and "About FCM messages".
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from notify_server.simulator.answers import Violation
from notify_server.simulator.schema import camel

MAX_PAYLOAD = 4096  # bytes, to an installation
MAX_TOPIC_PAYLOAD = 2048  # bytes, to a topic or condition
MAX_TTL = 2_419_200  # seconds: four weeks
MAX_COLLAPSE_ID = 64  # bytes (Apple, "Sending notification requests to APNs")
_RESERVED = re.compile(r"from|message_type|google\..*|gcm\..*", re.DOTALL)
_TOPIC = re.compile(r"[a-zA-Z0-9-_.~%]{1,900}")
_CONDITION = re.compile(
    r"[\s()!]*'[a-zA-Z0-9-_.~%]+' in topics[\s()]*((&&|\|\|)[\s()!]*'[a-zA-Z0-9-_.~%]+' in topics[\s()]*){0,4}"
)
_LABEL = re.compile(r"[a-zA-Z0-9-_.~%]{1,50}")
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_APNS_HEADERS = {
    "apns-priority": re.compile(r"1|5|10"),
    "apns-expiration": re.compile(r"\d{1,19}"),
}


def get(record: Mapping[str, Any], name: str, default: Any = None) -> Any:
    """The field `name` of a record in either spelling; null counts as absent."""
    value = record.get(name)
    if value is None and "_" in name:
        value = record.get(camel(name))
    return default if value is None else value


def payload_size(message: Mapping[str, Any]) -> int:
    """The bytes that count towards FCM's limit.

    FCM does not publish its count. This is the UTF-8 length of the compact JSON of `notification` and of `data`, and
    of `android.notification`, `android.data`, `webpush.notification`, `webpush.data` and `apns.payload`, each only
    where it is given, all added up. A message has one size here, not one a platform, so it errs on the strict side.
    """
    android, webpush, apns = (get(message, name, {}) for name in ("android", "webpush", "apns"))
    parts = (
        *(get(part, name) for part in (message, android, webpush) for name in ("notification", "data")),
        get(apns, "payload"),
    )
    return sum(len(orjson.dumps(part)) for part in parts if part)


def too_big(size: int, target_type: str) -> Iterator[Violation]:
    """A fault where `size` bytes are more than this type of target may get."""
    limit = MAX_TOPIC_PAYLOAD if target_type in ("topic", "condition") else MAX_PAYLOAD
    if size > limit:
        yield Violation("message", f"Message is too big: the payload has {size} bytes, the limit is {limit}.")


def bad_target(target_type: str, value: str) -> Iterator[Violation]:
    """A fault where the target cannot be one."""
    field = f"message.{target_type}"
    if target_type in ("token", "fid"):
        if not value or not value.isprintable() or " " in value:
            yield Violation(field, "The registration token is not a valid FCM registration token")
    elif target_type == "topic":
        if not _TOPIC.fullmatch(value):
            yield Violation(field, "Malformed topic name")
    elif not _CONDITION.fullmatch(value):
        yield Violation(field, "Invalid condition expression provided.")


def violations(message: Mapping[str, Any]) -> Iterator[Violation]:
    """Everything that FCM refuses in a message whose structure is right, apart from target and size."""
    android, webpush, apns = (get(message, name, {}) for name in ("android", "webpush", "apns"))
    for path, part in (("message", message), ("message.android", android), ("message.webpush", webpush)):
        yield from _reserved(get(part, "data", {}), f"{path}.data")
    yield from _ttl(get(android, "ttl"))
    yield from _color(get(get(android, "notification", {}), "color"))
    yield from _apns_headers(get(apns, "headers", {}))
    yield from _link(get(get(webpush, "fcm_options", {}), "link"))
    for path, part in (("", message), (".android", android), (".webpush", webpush), (".apns", apns)):
        yield from _label(get(get(part, "fcm_options", {}), "analytics_label"), f"message{path}.fcm_options")


def _reserved(data: Mapping[str, str], path: str) -> Iterator[Violation]:
    for key in data:
        if _RESERVED.fullmatch(key):
            yield Violation(path, f"Invalid data payload key: {key}")


def _ttl(ttl: str | None) -> Iterator[Violation]:
    if ttl is not None and not 0 <= float(ttl.removesuffix("s")) <= MAX_TTL:
        yield Violation("message.android.ttl", f"Invalid value for ttl: {ttl}. It must be from 0s to {MAX_TTL}s.")


def _color(color: str | None) -> Iterator[Violation]:
    if color is not None and not _COLOR.fullmatch(color):
        yield Violation("message.android.notification.color", "Invalid color: it must have the form #rrggbb.")


def _apns_headers(headers: Mapping[str, str]) -> Iterator[Violation]:
    for name, value in headers.items():
        form = _APNS_HEADERS.get(name.lower())
        if form is not None and not form.fullmatch(value):
            yield Violation(f"message.apns.headers.{name}", f"Invalid value for the APNs header {name}")
        if name.lower() == "apns-collapse-id" and len(value.encode()) > MAX_COLLAPSE_ID:
            yield Violation(f"message.apns.headers.{name}", f"apns-collapse-id has more than {MAX_COLLAPSE_ID} bytes")


def _link(link: str | None) -> Iterator[Violation]:
    if link is not None and not link.startswith("https://"):
        yield Violation("message.webpush.fcm_options.link", "The link must be an HTTPS URL.")


def _label(label: str | None, path: str) -> Iterator[Violation]:
    if label is not None and not _LABEL.fullmatch(label):
        yield Violation(f"{path}.analytics_label", "Malformed analytics label.")
