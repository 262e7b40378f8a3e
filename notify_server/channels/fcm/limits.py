"""What FCM refuses of a message, found before anything is stored or sent.

Sources: FCM HTTP v1 reference, `Message.data` (reserved keys) and "About FCM messages" (4,096 bytes).
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from notify_server.domain.notification import MAX_TTL, OWN_KEYS, Message, Notification

MAX_PAYLOAD = 4096  # bytes
_SURROGATE = re.compile("[\ud800-\udfff]")
_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_RESERVED_KEYS = frozenset({"from", "message_type"})
_RESERVED_PREFIXES = ("google.", "gcm.")


def faults(notification: Notification) -> dict[str, list[str]]:
    """What is wrong with each field, by its path in the payload; empty when FCM would take them all."""
    message = notification.message
    found = {path: ["Not valid Unicode."] for path in _unencodable(message)}
    found |= {f"message.data.{key}": [fault] for key in message.data if (fault := _key_fault(key))}
    if message.image is not None and not _web_url(message.image):
        found["message.image"] = ["Must be an http or https URL."]
    if not 0 <= notification.ttl <= MAX_TTL:
        found["ttl"] = [f"Must be between 0 and {MAX_TTL} seconds."]
    return found


def payload_size(wire: Mapping[str, Any]) -> int:
    """Bytes that count towards MAX_PAYLOAD: what travels to the device, as compact JSON in UTF-8.

    That is `notification` and `data`, and what overrides them for one platform: `android.notification`,
    `webpush.notification` and `apns.payload`. Target, headers and priorities do not count.
    """
    parts = (
        wire.get("notification"),
        wire.get("data"),
        wire.get("android", {}).get("notification"),
        wire.get("webpush", {}).get("notification"),
        wire.get("apns", {}).get("payload"),
    )
    return sum(len(_compact(part).encode()) for part in parts if part)


def _unencodable(message: Message) -> Iterator[str]:
    """The paths of texts that no JSON in UTF-8 can carry: those with half a surrogate pair."""
    for name in ("title", "body", "image", "link"):
        if not _encodable(getattr(message, name)):
            yield f"message.{name}"
    if not all(_encodable(text) for pair in message.data.items() for text in pair):
        yield "message.data"


def _encodable(text: object) -> bool:
    """Whatever is no text is firebase-admin's to refuse."""
    return not isinstance(text, str) or not _SURROGATE.search(text)


def _key_fault(key: str) -> str | None:
    if key in _RESERVED_KEYS or key.startswith(_RESERVED_PREFIXES):
        return "Reserved by FCM."
    return "Set by the server." if key in OWN_KEYS else None


def _web_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
