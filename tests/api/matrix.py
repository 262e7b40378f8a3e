"""Every route but those of JSON:API, what its token must be good for, and something that each could show or change."""

from notify_server.domain.audience import Recipient
from notify_server.domain.notification import Audience
from notify_server.services.clock import utc_now
from notify_server.services.server_tokens import Scope
from notify_server.storage.clients import Clients, Secret
from notify_server.storage.documents import Store
from notify_server.storage.notifications import Notifications
from notify_server.storage.registry import Arrivals, Registry
from tests.api.caller import Caller
from tests.builders import a_notification

USERS, SEND, READ, ADMIN, USER = (Scope.USERS,), (Scope.SEND,), (Scope.READ,), (Scope.ADMIN,), "user"
FIGURES = (Scope.STATISTICS, Scope.READ)
N = "6b007bddabf10665a8c867db"
T = "0123456789ab"
DEVICE = {"platform": "ios", "token": "t"}
ROUTES = {
    ("POST", "/v1/notifications"): (SEND, {"message": {"title": "t"}, "users": ["u1"]}),
    ("GET", "/v1/notifications"): (READ, None),
    ("GET", f"/v1/notifications/{N}"): (READ, None),
    ("GET", f"/v1/notifications/{N}/registry"): (READ, None),
    ("POST", f"/v1/notifications/{N}/cancel"): (SEND, None),
    ("POST", f"/v1/notifications/{N}/resend"): (SEND, {"users": ["u1"]}),
    ("POST", "/api/realtime/internal/notify"): (SEND, {"userIds": ["u1"], "payload": {"a": 1}}),
    ("PUT", "/v1/users/u1"): (USERS, {"community": "c"}),
    ("GET", "/v1/users/u1"): (USERS, None),
    ("DELETE", "/v1/users/u1"): (USERS, None),
    ("GET", "/v1/users/u1/export"): (USERS, None),
    ("GET", "/v1/users/u1/registry"): (READ, None),
    ("POST", "/v1/users/u1/tokens"): (USERS, None),
    ("PUT", "/v1/groups/g1"): (USERS, {"members": ["u2"]}),
    ("GET", "/v1/groups/g1"): (USERS, None),
    ("DELETE", "/v1/groups/g1"): (USERS, None),
    ("POST", "/v1/groups/g1/members"): (USERS, {"add": ["u2"], "remove": ["u1"]}),
    ("GET", "/v1/templates"): (READ, None),
    ("PUT", "/v1/templates/t1"): (ADMIN, {"locales": {"en": {"title": "t"}}}),
    ("GET", "/v1/templates/t1"): (READ, None),
    ("GET", "/v1/templates/t1/versions"): (READ, None),
    ("GET", "/v1/templates/t1/versions/1"): (READ, None),
    ("POST", "/v1/templates/t1/preview"): (READ, {"variables": {}}),
    ("GET", "/v1/actions"): (READ, None),
    ("PUT", "/v1/actions/a1"): (ADMIN, {"template": "t1"}),
    ("GET", "/v1/actions/a1"): (READ, None),
    ("GET", "/v1/registry/export"): (READ, None),
    ("GET", "/v1/statistics"): (FIGURES, None),
    ("GET", "/v1/statistics/users/u1"): (FIGURES, None),
    ("GET", "/v1/statistics/groups/g1"): (FIGURES, None),
    ("GET", "/v1/statistics/communities/c1"): (FIGURES, None),
    ("GET", "/v1/statistics/categories/c1"): (FIGURES, None),
    ("GET", f"/v1/statistics/notifications/{N}"): (FIGURES, None),
    ("GET", "/v1/statistics/top/groups"): (FIGURES, None),
    ("GET", "/v1/statistics/top/categories"): (FIGURES, None),
    ("GET", "/v1/statistics/top/reasons"): (FIGURES, None),
    ("GET", "/v1/statistics/top/devices"): (FIGURES, None),
    ("GET", "/v1/audit"): (ADMIN, None),
    ("GET", "/v1/tokens"): (ADMIN, None),
    ("POST", "/v1/tokens"): (ADMIN, {"name": "n", "scopes": ["admin"]}),
    ("POST", f"/v1/tokens/{T}/rotate"): (ADMIN, None),
    ("DELETE", f"/v1/tokens/{T}"): (ADMIN, None),
    ("GET", "/v1/mails"): (ADMIN, None),
    ("GET", f"/v1/mails/{N}"): (ADMIN, None),
    ("POST", "/v1/mails/allow"): (ADMIN, {"address": "a@example.org"}),
    ("GET", "/v1/settings/email"): (ADMIN, None),
    ("PUT", "/v1/settings/email"): (ADMIN, {"service": "disabled"}),
    ("PUT", "/v1/me/devices/d1"): (USER, DEVICE),
    ("GET", "/v1/me/devices"): (USER, None),
    ("DELETE", "/v1/me/devices/d1"): (USER, None),
    ("POST", "/v1/me/receipts"): (USER, {"receipts": [{"notification_id": N, "status": "read"}]}),
    ("GET", "/v1/me/notifications"): (USER, None),
    ("GET", "/v1/me/notifications/counts"): (USER, None),
    ("GET", f"/v1/me/notifications/{N}"): (USER, None),
    ("PATCH", f"/v1/me/notifications/{N}"): (USER, {"is_read": True}),
    ("POST", "/v1/me/notifications/read"): (USER, {"all": True}),
    ("GET", "/v1/me/subscriptions"): (USER, None),
    ("DELETE", "/v1/me/subscriptions/groups/g1"): (USER, None),
    ("PUT", "/v1/me/subscriptions/groups/g1"): (USER, None),
    ("DELETE", "/v1/me/subscriptions/categories/c1"): (USER, None),
    ("PUT", "/v1/me/subscriptions/categories/c1"): (USER, None),
}
SERVER_ROUTES = [route for route, (needed, _) in ROUTES.items() if needed is not USER]
USER_ROUTES = [route for route, (needed, _) in ROUTES.items() if needed is USER]


def furnish(database: Store, backend: Caller, device: Caller) -> None:
    """A user with a device, a group, a notification, a token."""
    backend.put("/v1/users/u1", {"community": "school"})
    backend.put("/v1/groups/g1", {"members": ["u1"]})
    device.put("/v1/me/devices/d1", DEVICE)
    backend.put("/v1/templates/t1", {"locales": {"en": {"title": "t"}}})
    now = utc_now()
    Notifications(database).add(a_notification(id=N, audience=Audience(("u1",)), category="c1", created_at=now), None)
    Registry(database).insert([Arrivals(N, "c1", [Recipient("u1", ("g1",))])], now)
    Clients(database).add(T, "token", [Scope.ADMIN], Secret("0" * 64), now)
