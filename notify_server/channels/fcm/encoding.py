"""A notification encoded once; each target is then put into the encoded bytes."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from notify_server.channels.fcm.limits import MAX_PAYLOAD, faults, payload_size
from notify_server.channels.fcm.message import build
from notify_server.domain import user_fields
from notify_server.domain.device import Target, TargetType
from notify_server.domain.notification import Notification
from notify_server.domain.user import User
from notify_server.errors import InvalidInput

_PLACEHOLDER = "placeholder"
_OPENINGS = {kind: f'{{"message":{{"{kind.value}":'.encode() for kind in TargetType}
_quote = json.JSONEncoder().encode
_compact = json.JSONEncoder(separators=(",", ":")).encode

# How firebase-admin's own complaints begin, and whose fault each is.
_COMPLAINTS = {
    "Message.data": "message.data",
    "Notification.title": "message.title",
    "Notification.body": "message.body",
    "Notification.image": "message.image",
    "AndroidConfig.ttl": "ttl",
    "WebpushFCMOptions.link": "message.link",
}


@dataclass(frozen=True, slots=True)
class EncodedMessage:
    """The request body from behind the target member to its end."""

    rest: bytes

    def body(self, target: Target) -> bytes:
        """The whole request body for `target`."""
        return b"%b%b%b" % (_OPENINGS[target.type], _quote(target.value).encode(), self.rest)

    def filled(self, user: User) -> "EncodedMessage":
        """The message to one user, in whose texts their own fields stand where marks did."""
        rest = self.rest
        for mark, value in user_fields.values(user, _inner).items():
            rest = rest.replace(_inner(mark).encode(), value.encode())
        return EncodedMessage(rest)


def encode(notification: Notification, at: datetime) -> EncodedMessage:
    """Build, validate and encode the message once, for any number of targets, with the TTL left at `at`.

    Raises InvalidInput with the path of each field at fault where FCM would refuse the message.
    """
    found = faults(notification)
    if found:
        raise InvalidInput(found)
    wire = _wire(notification, at)
    del wire["fid"]
    size = payload_size(wire)
    if size > MAX_PAYLOAD:
        raise InvalidInput({"message": [f"Has {size} bytes; FCM takes {MAX_PAYLOAD}."]})
    members = _compact(wire).encode()
    return EncodedMessage(b"," + members[1:] + b"}")


def _inner(text: str) -> str:
    """A text as it stands within a string of JSON."""
    return _quote(text)[1:-1]


def _wire(notification: Notification, at: datetime) -> dict[str, Any]:
    """FCM's JSON: `str()` of a message is the SDK's public way to it, and validates on the way."""
    try:
        wire: dict[str, Any] = json.loads(str(build(notification, at, _PLACEHOLDER)))
    except ValueError as error:
        complaint = str(error)
        path = next((path for start, path in _COMPLAINTS.items() if complaint.startswith(start)), "message")
        raise InvalidInput({path: [complaint]}) from error
    return wire
