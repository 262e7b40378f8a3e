"""The events of the realtime port as AsyncAPI has them: each payload is the list of the event's arguments, in order."""

from typing import Any

from notify_server.domain.registry import Status

Node = dict[str, Any]

_ID = "6b007bddabf10665a8c867db"
_TEXT: Node = {"type": "string"}
_COUNT: Node = {"type": "integer", "minimum": 0}
_TIME: Node = {"type": "string", "format": "date-time"}
_NAMES: Node = {"type": ["array", "null"], "items": _TEXT}
_STATUS: Node = {"type": "string", "enum": [status.value for status in Status]}


def _object(description: str, required: dict[str, Node], **optional: Node) -> Node:
    return {
        "type": "object",
        "description": description,
        "required": list(required),
        "properties": required | optional,
        "additionalProperties": False,
    }


SCHEMAS: dict[str, Node] = {
    "Auth": {
        "type": "object",
        "description": "The `auth` of the Socket.IO client. Other members are ignored",
        "required": ["token"],
        "properties": {
            "token": {"type": "string", "maxLength": 8190, "description": "A user token: the socket is that user's"},
            "since": {
                "type": "string",
                "description": "The id of the last notification seen: what came after is replayed",
            },
        },
    },
    "Connected": _object("The socket is open", {"sid": _TEXT}),
    "Refused": {
        "type": "object",
        "description": "What `connect_error` shows; `data` where it is worth trying again",
        "required": ["message"],
        "properties": {
            "message": _TEXT,
            "data": _object("When to try again", {"reason": _TEXT, "retry_in_ms": _COUNT}),
        },
    },
    "Payload": {"type": "object", "description": "Exactly the `payload` that POST /api/realtime/internal/notify got"},
    "Origin": _object(
        "Where a notification comes from; `id` is what `since` takes",
        {"id": _TEXT, "created_at": _TIME, "replayed": {"type": "boolean"}},
    ),
    "Replay": _object(
        "What is going to be replayed; `cut`: more was missed, which the inbox has",
        {"count": _COUNT, "cut": {"type": "boolean"}},
    ),
    "Updated": _object(
        "The new status of a notification; with `is_read` where the user marked it",
        {"id": _TEXT, "status": _STATUS},
        is_read={"type": "boolean"},
    ),
    "MarkedAsRead": _object(
        "What was marked as read together; null: any",
        {"status": {"type": "string", "enum": [Status.READ.value]}, "groups": _NAMES, "categories": _NAMES},
        before={"type": ["string", "null"], "format": "date-time"},
    ),
    "Unread": _object("How much of the inbox is unread", {"unread": _COUNT}),
    "Closing": _object(
        "This server is about to end the connection: connect again after `reconnect_in_ms`, with `since`; after "
        "`token ended` with a new token",
        {"reason": _TEXT, "reconnect_in_ms": _COUNT},
    ),
    "SocketReceipt": _object(
        "What became of a notification on this device",
        {"notification_id": _TEXT, "status": {"type": "string", "enum": [Status.RECEIVED.value, Status.READ.value]}},
    ),
    "Acknowledgement": {
        "description": "Whether it was recorded",
        "oneOf": [
            _object("Recorded", {"ok": {"const": True}}),
            _object("Not recorded, and why", {"ok": {"const": False}, "error": _TEXT}),
        ],
    },
}

_ITEM: Node = {
    "id": _ID,
    "title": "Booking confirmed",
    "body": "Algebra 101, Monday 9:00",
    "image": None,
    "link": "https://school.example/bookings/123",
    "data": {"booking_id": "123"},
    "category": "booking",
    "groups": ["class-101"],
    "status": "pending",
    "is_read": False,
    "created_at": "2026-12-01T09:00:00.000Z",
    "read_at": None,
}
_ORIGIN = {"id": _ID, "created_at": "2026-12-01T09:00:00.000Z", "replayed": False}
_ROOM = {"reason": "too_many_connections", "retry_in_ms": 60000}
_MARKED = {"status": "read", "groups": ["class-101"], "categories": None, "before": None}

# By message: the name of the event, what it says, the schemas of its arguments, and an example of them.
EVENTS: dict[str, tuple[str, str, list[str], list[Any]]] = {
    "notification": ("notification:new", "A notification, live or replayed", ["InboxItem", "Origin"], [_ITEM, _ORIGIN]),
    "payload": (
        "notification:new",
        "A realtime payload, live or replayed",
        ["Payload", "Origin"],
        [{"seat": 7}, _ORIGIN],
    ),
    "replay": ("notification:replay", "First after a connect with `since`", ["Replay"], [{"count": 3, "cut": False}]),
    "updated": (
        "notification:updated",
        "A status changed, through another socket or over HTTP",
        ["Updated"],
        [{"id": _ID, "status": "read"}],
    ),
    "marked": ("notification:marked", "Many were marked as read at once", ["MarkedAsRead"], [_MARKED]),
    "counts": (
        "notification:counts",
        "The unread count, after new notifications, marks and receipts; not after a cancel, an expiry or a mute",
        ["Unread"],
        [{"unread": 3}],
    ),
    "closing": (
        "gateway:closing",
        "The server stops, the token has ended, or this client is sent away",
        ["Closing"],
        [{"reason": "server stopping", "reconnect_in_ms": 1250}],
    ),
    "receipt": (
        "receipt",
        "Report a notification received or read",
        ["SocketReceipt"],
        [{"notification_id": _ID, "status": "read"}],
    ),
    "acknowledgement": ("receipt (acknowledgement)", "The answer to a receipt", ["Acknowledgement"], [{"ok": True}]),
    "connect": ("connect", "Open the socket", ["Auth"], [{"token": "eyJhbGciOiJIUzI1NiJ9.…", "since": _ID}]),
    "connected": ("connect (accepted)", "The socket is open", ["Connected"], [{"sid": "yVx1mPMUp9cAAAAB"}]),
    "refused": (
        "connect_error",
        "The socket is not opened",
        ["Refused"],
        [{"message": "too many connections", "data": _ROOM}],
    ),
}
