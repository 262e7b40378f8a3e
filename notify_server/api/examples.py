"""Examples for the OpenAPI document: of every body and of every good answer, by the name of its schema."""

from typing import Any

from notify_server.api.schemas.people import NDJSON

_AT, _LATER = "2026-12-01T09:00:00.000Z", "2026-12-01T09:00:01.250Z"
_NOTIFICATION = "6b007bddabf10665a8c867db"
_TITLE, _TEXT = "Booking confirmed", "Algebra 101, Monday 9:00"
_LINK = "https://school.example/bookings/123"
_MESSAGE = {"title": _TITLE, "body": _TEXT, "image": None, "link": _LINK, "data": {"booking_id": "123"}}
_NO_COUNTS = dict.fromkeys(("pending", "sent", "received", "read", "suppressed", "failed", "expired", "cancelled"), 0)

_SHOWN = {
    "id": _NOTIFICATION,
    "message": _MESSAGE,
    "groups": ["class-101"],
    "communities": [],
    "everyone": False,
    "category": "booking",
    "community": "school-1",
    "channels": ["push"],
    "priority": "high",
    "ttl": 86400,
    "send_at": None,
    "resend": {"after": 900, "times": 2},
    "mandatory": False,
    "push_after": None,
    "email_after": None,
    "reply_to": None,
    "action": None,
    "disabled": False,
    "texts": None,
    "payload": None,
    "created_at": _AT,
    "expires_at": "2026-12-02T09:00:00.000Z",
    "state": "done",
    "recipients": 31,
    "counts": _NO_COUNTS | {"sent": 1, "received": 10, "read": 20},
    "erased": _NO_COUNTS,
}
_ENTRY = {
    "notification_id": _NOTIFICATION,
    "user_id": "u1",
    "status": "sent",
    "reason": None,
    "groups": ["class-101"],
    "attempts": 1,
    "pending_at": _AT,
    "sent_at": _LATER,
    "received_at": None,
    "read_at": None,
    "history": [
        {"status": "pending", "at": _AT, "detail": None},
        {"status": "sent", "at": _LATER, "detail": "attempt 1: accepted for 1 of 1 devices"},
    ],
}
_ITEM = {
    "id": _NOTIFICATION,
    **_MESSAGE,
    "category": "booking",
    "groups": ["class-101"],
    "status": "received",
    "is_read": False,
    "created_at": _AT,
    "read_at": None,
}
_LISTED = {name: value for name, value in _SHOWN.items() if name not in {"counts", "erased"}}
_DEVICE = {
    "id": "phone",
    "platform": "android",
    "target_type": "token",
    "active": True,
    "reason": None,
    "registered_at": _AT,
    "confirmed_at": _AT,
    "stale": False,
    "app_version": "4.2.0",
    "locale": "de-AT",
}
_SOURCES = {
    "en": {
        "title": "Your tickets for {{ event_name }}",
        "body": "Order {{ order_id }}: {{ count }} tickets.",
        "subject": "Your tickets for {{ event_name }}",
        "html": '<p>Your tickets: <a href="{{ order_url }}">{{ order_id }}</a></p>',
        "text": "Your tickets: {{ order_url }}",
    },
    "de": {
        "title": "Ihre Karten für {{ event_name }}",
        "body": "Bestellung {{ order_id }}: {{ count }} Karten.",
        "subject": "Ihre Karten für {{ event_name }}",
        "html": '<p>Ihre Karten: <a href="{{ order_url }}">{{ order_id }}</a></p>',
        "text": "Ihre Karten: {{ order_url }}",
    },
}
_TEMPLATE = {
    "category": "tickets",
    "default_locale": "en",
    "variables": {
        "event_name": {"type": "string", "required": True, "example": "Sommertagung 2027"},
        "order_id": {"type": "string", "required": True, "example": "O-1042"},
        "count": {"type": "integer", "required": True, "example": 2},
        "order_url": {"type": "url", "required": True, "example": "https://eventhaus.example/orders/1042"},
    },
    "locales": _SOURCES,
    "link": "{{ order_url }}",
    "image": None,
    "data": {"order_id": "{{ order_id }}"},
}
_VARIABLES = {
    "event_name": "Sommertagung 2027",
    "order_id": "O-1042",
    "count": 2,
    "order_url": "https://eventhaus.example/orders/1042",
}
_SUMMARY = {
    "name": "ticket_purchased",
    "version": 2,
    "category": "tickets",
    "default_locale": "en",
    "locales": ["de", "en"],
    "created_at": _AT,
    "pack": None,
}
_ACTION = {
    "template": "ticket_purchased",
    "category": None,
    "channels": ["push", "realtime", "email"],
    "notification_enabled": True,
    "mail_enabled": True,
    "mandatory": False,
}
_SHOWN_ACTION = {"name": "ticket_purchased", **_ACTION, "updated_at": _AT, "pack": "events"}
_PROFILE = {
    "community": "school-1",
    "groups": ["class-101"],
    "email": "ada@school.example",
    "locale": "de-AT",
    "timezone": "Europe/Vienna",
}
_TOKEN = {
    "id": "1f0c93ab52de",
    "prefix": "nst_1f0c93ab52de",
    "name": "billing",
    "scopes": ["send"],
    "state": "active",
    "created_at": _AT,
    "expires_at": None,
    "rotated_at": None,
    "previous_until": None,
    "revoked_at": None,
    "used_at": None,
}
_LINE = {
    "id": "6b007bddabf10665a8c867dc",
    "at": _AT,
    "actor": {
        "kind": "client",
        "id": "1f0c93ab52de",
        "pseudonym": False,
        "name": "billing",
        "prefix": _TOKEN["prefix"],
    },
    "action": "users.put",
    "route": "PUT /v1/users/{user_id}",
    "object": {"kind": "user", "id": "u1", "pseudonym": False},
    "fields": ["email"],
    "address": "192.0.2.7",
    "status": 200,
}

_MAIL = {
    "id": f"{_NOTIFICATION}9f2c41d07be3a865",
    "notification_id": _NOTIFICATION,
    "recipient": "u1",
    "address": "ada@school.example",
    "action": None,
    "template": None,
    "category": "booking",
    "locale": None,
    "subject": _TITLE,
    "status": "sent",
    "reason": None,
    "detail": None,
    "attempts": 1,
    "service": "smtp",
    "provider_id": "4XgT5m2cJ9z1Nk",
    "message_id": f"<{_NOTIFICATION}9f2c41d07be3a865@school.example>",
    "doubtful": False,
    "created_at": _AT,
    "sent_at": _LATER,
    "received_at": None,
    "read_at": None,
}
_SMTP = {"host": "mail.school.example", "port": 587, "security": "starttls", "username": "notify"}
_SENDER = {"address": "notify@school.example", "name": "Our school"}
_SETTINGS = {
    "service": "smtp",
    "from": _SENDER,
    "reply_to": "office@school.example",
    "smtp": _SMTP,
    "webhook_key": None,
    "secrets": {"smtp_password": "environment", "sendgrid_key": None},
    "version": 1,
    "updated_at": _AT,
}

_PATH = f"/jsonapi/notifications/{_NOTIFICATION}:u1"
_LINKAGE = {
    "links": {"self": f"{_PATH}/relationships/user", "related": f"{_PATH}/user"},
    "data": {"type": "user", "id": "u1"},
}
_RESOURCE = {
    "type": "notification",
    "id": f"{_NOTIFICATION}:u1",
    "attributes": {
        "title": _TITLE,
        "message": _TEXT,
        "received-at": "2026-12-01T09:00:00Z",
        "accept": _LINK,
        "is-read": False,
    },
    "relationships": {"user": _LINKAGE},
    "links": {"self": _PATH},
}
_COUNTED = {
    "recipients": 31,
    **_NO_COUNTS,
    "sent": 1,
    "received": 9,
    "read": 20,
    "failed": 1,
    "delivery_rate": 0.935484,
    "read_rate": 0.645161,
}
_TOTALS = _COUNTED | {
    "median_seconds_to_receive": 1.204,
    "p90_seconds_to_receive": 8.96,
    "median_seconds_to_read": 311.296,
    "p90_seconds_to_read": 5177.344,
}
_PERIOD = {"from": "2026-12-01T00:00:00.000Z", "to": "2026-12-02T00:00:00.000Z", "as_of": _LATER}
_REASONS = [{"status": "failed", "reason": "unregistered", "count": 1}]
_CHANNELS = [
    {"channel": "push", "sent": 28, "received": None, "read": None, "failed": 2, "bounced": None, "suppressed": None},
    {"channel": "realtime", "sent": 0, **dict.fromkeys(("received", "read", "failed", "bounced", "suppressed"))},
    {"channel": "email", "sent": 12, "received": 9, "read": 4, "failed": 0, "bounced": 1, "suppressed": 1},
]
_STATISTICS = {
    **_PERIOD,
    "interval": "day",
    "timezone": "UTC",
    "totals": _TOTALS,
    "reasons": _REASONS,
    "channels": _CHANNELS,
    "series": [{"at": "2026-12-01T00:00:00.000Z", "period": "2026-12-01", **_COUNTED}],
    "previous": None,
}
_VERSION = {"version": "1.1"}
_LIST = "/jsonapi/users/u1/notifications"
_PAGES = {"self": _LIST, "first": f"{_LIST}?page%5Bnumber%5D=1", "last": f"{_LIST}?page%5Bnumber%5D=1"}
_PERSON = {name: value for name, value in _PROFILE.items() if name != "groups"} | {"created-at": _AT}

_BODIES: dict[str, Any] = {
    "Notification": {
        "message": {name: value for name, value in _MESSAGE.items() if value is not None},
        "users": ["u1", "u2"],
        "groups": ["class-101"],
        "category": "booking",
        "community": "school-1",
        "channels": ["push"],
        "priority": "high",
        "ttl": 86400,
        "resend": {"after": 900, "times": 2},
    },
    "RealtimeNotify": {
        "userIds": ["u1", "u2"],
        "payload": {"type": "seat_taken", "seat": "B7", "title": "Seat B7 is taken"},
        "options": {"ttl": 3600, "category": "booking"},
    },
    "Template": _TEMPLATE,
    "Preview": {"locale": "de-AT", "variables": _VARIABLES},
    "Action": _ACTION,
    "RequestedResend": {"users": ["u1"]},
    "Profile": _PROFILE,
    "Nothing": {},
    "Group": {"community": "school-1", "members": ["u1", "u2"]},
    "MemberChange": {"add": ["u3"], "remove": ["u2"]},
    "Installation": {
        "platform": "android",
        "token": "fcm-registration-token",
        "app_version": "4.2.0",
        "locale": "de-AT",
    },
    "Receipts": {"receipts": [{"notification_id": _NOTIFICATION, "status": "received", "device_id": "phone"}]},
    "ReadMark": {"is_read": True},
    "MarkRead": {"groups": ["class-101"], "before": _AT},
    "JsonApiChangeDocument": {
        "data": {"type": "notification", "id": f"{_NOTIFICATION}:u1", "attributes": {"is-read": True}}
    },
    "NewToken": {"name": "billing", "scopes": ["send"]},
    "Rotation": {"overlap": 3600},
    "MailAddress": {"address": "ada@school.example"},
    "EmailSettings": {"service": "disabled", "from": _SENDER, "smtp": _SMTP},
}
_ANSWERS: dict[str, Any] = {
    "Accepted": {name: _SHOWN[name] for name in ("id", "created_at", "expires_at")} | {"state": "accepted"},
    "ShownNotification": _SHOWN,
    "NotificationPage": {"notifications": [_LISTED], "next": None},
    "EntryPage": {"entries": [_ENTRY], "next": None},
    "Cancelled": {
        "id": _NOTIFICATION,
        "state": "cancelled",
        "stopped": 30,
        "in_flight": 1,
        "remaining": 0,
        "expanded": True,
    },
    "Statistics": _STATISTICS,
    "NotificationStatistics": _STATISTICS
    | {
        "funnel": {"recipients": 31, "sent": 30, "received": 29, "read": 20},
        "curve": [
            {"seconds": 1.216, "received": 15, "read": 0},
            {"seconds": 9.088, "received": 28, "read": 3},
            {"seconds": 5242.88, "received": 29, "read": 20},
        ],
    },
    "TopGroups": _PERIOD | {"groups": [{"group": "class-101", **_COUNTED}]},
    "TopCategories": _PERIOD
    | {"categories": [{"category": "booking", "muted_by": 2, "recipients": 31, "suppressed": 1}]},
    "TopReasons": _PERIOD | {"reasons": _REASONS},
    "TopDevices": {
        "platforms": [
            {"platform": "android", "active": 840, "dead": 12, "reasons": [{"reason": "unregistered", "count": 12}]}
        ]
    },
    "RealtimeQueued": {"status": "queued", "id": _NOTIFICATION},
    "ShownTemplate": {"name": "ticket_purchased", "version": 2, **_TEMPLATE, "created_at": _AT, "pack": None},
    "TemplatePage": {"templates": [_SUMMARY], "next": None},
    "Previewed": {
        "name": "ticket_purchased",
        "version": 2,
        "locale": "de",
        "title": "Ihre Karten für Sommertagung 2027",
        "body": "Bestellung O-1042: 2 Karten.",
        "image": None,
        "link": "https://eventhaus.example/orders/1042",
        "data": {"order_id": "O-1042"},
        "subject": "Ihre Karten für Sommertagung 2027",
        "html": '<p>Ihre Karten: <a href="https://eventhaus.example/orders/1042">O-1042</a></p>',
        "text": "Ihre Karten: https://eventhaus.example/orders/1042",
    },
    "ShownAction": _SHOWN_ACTION,
    "ActionPage": {"actions": [_SHOWN_ACTION], "next": None},
    "ResendQueued": {"id": _NOTIFICATION, "queued": 1, "skipped": 0},
    "User": {"id": "u1", **_PROFILE, "created_at": _AT},
    "Erased": {
        "pseudonym": "erased-3f9a7c51d2b80e64",
        "at": _AT,
        "erased": {"devices": 1, "entries": 12, "mails": 3, "profiles": 1},
        "complete": True,
    },
    "UserToken": {"token": "eyJhbGciOiJIUzI1NiJ9.…", "expires_at": "2026-12-01T10:00:00.000Z"},
    "ShownGroup": {
        "id": "class-101",
        "community": "school-1",
        "created_at": _AT,
        "member_count": 2,
        "members": ["u1", "u2"],
        "next": None,
    },
    "MemberChanged": {"added": 1, "removed": 1},
    "Device": _DEVICE,
    "DeviceList": {"devices": [_DEVICE]},
    "Received": {"accepted": 1, "rejected": []},
    "InboxItem": _ITEM,
    "InboxPage": {"notifications": [_ITEM], "next": None, "unread": 1},
    "InboxCounts": {"unread": 3, "groups": {"class-101": 2}, "categories": {"booking": 1}},
    "Marked": {"updated": 2},
    "Subscriptions": {"muted": {"groups": ["class-101"], "categories": []}},
    "IssuedToken": _TOKEN | {"token": "nst_1f0c93ab52de_…"},
    "TokenPage": {"tokens": [_TOKEN], "next": None},
    "LinePage": {"lines": [_LINE], "next": None},
    "MailPage": {"mails": [_MAIL], "next": None},
    "ShownMail": _MAIL | {"message": {"subject": _TITLE, "text": _TEXT, "html": f"<!DOCTYPE html><p>{_TEXT}</p>"}},
    "Allowed": {"allowed": True},
    "ShownEmailSettings": _SETTINGS,
    "Status": {"status": "alive"},
    "Readiness": {
        "status": "ready",
        "channels": {
            "push": {"state": "working", "reason": None, "since": None, "until": None, "rate": 10000.0},
            "email": {"state": "working", "reason": None, "since": None, "until": None, "rate": 1000.0},
        },
    },
    "JsonApiNotificationsDocument": {
        "jsonapi": _VERSION,
        "links": _PAGES | {"prev": None, "next": None},
        "data": [_RESOURCE],
        "meta": {"count": 1},
    },
    "JsonApiNotificationDocument": {"jsonapi": _VERSION, "links": {"self": _PATH}, "data": _RESOURCE},
    "JsonApiUserDocument": {
        "jsonapi": _VERSION,
        "links": {"self": f"{_PATH}/user"},
        "data": {"type": "user", "id": "u1", "attributes": _PERSON},
    },
    "JsonApiLinkageDocument": {"jsonapi": _VERSION, **_LINKAGE},
}
EXAMPLES = _BODIES | _ANSWERS

# Of answers that are described where they are made, by media type.
TEXTS: dict[str, Any] = {
    NDJSON: '{"kind": "profile", …}\n{"kind": "end", …}\n',
    "text/html": "<!DOCTYPE html>…",
    "text/csv": "at,period,recipients,pending,sent,…\r\n2026-12-01T00:00:00.000Z,2026-12-01,31,0,1,…\r\n",
    "text/plain": "# TYPE notify_accepted_total counter\nnotify_accepted_total 1.0\n",
    "application/json": {"openapi": "3.1.0", "info": {"title": "Notify Server", "version": "0.1.0"}, "paths": {}},
}

_SAID = {
    400: ("Bad request", "The body is not JSON in UTF-8."),
    401: ("Not authenticated", "Send a token: Authorization: Bearer …"),
    403: ("Not allowed", "This token lacks the scope."),
    404: ("Not found", "There is no such thing."),
    406: ("Not Acceptable", "Accept application/vnd.api+json without parameters but profile."),
    409: ("Conflict", "This contradicts what is there."),
    413: ("Request Entity Too Large", "The data value transmitted exceeds the capacity limit."),
    415: ("Unsupported Media Type", "Send application/json."),
    422: ("Invalid input", "See errors for what is wrong with each field."),
    429: ("Too many requests", "Too many requests: try again in 1 s."),
    503: ("Service unavailable", "The database is away. Nothing was lost; please try again."),
}
PROBLEMS: dict[str, dict[str, Any]] = {
    str(status): {"type": "about:blank", "title": title, "status": status, "detail": detail}
    for status, (title, detail) in _SAID.items()
}
PROBLEMS["422"]["errors"] = {"message.title": ["Longer than maximum length 1024."]}
