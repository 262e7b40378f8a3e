"""Notifications: handed over, looked at, taken back, sent again."""

from typing import Any

from flask import url_for

from notify_server.api import guards, paging, remote
from notify_server.api.blueprint import Routes
from notify_server.api.context import current_client, services
from notify_server.api.schemas.notification import (
    AcceptanceHeadersSchema,
    NotificationQuerySchema,
    NotificationSchema,
    RequestedResendSchema,
)
from notify_server.api.schemas.people import NothingSchema
from notify_server.api.schemas.registry import EntryPageSchema, RegistryQuerySchema
from notify_server.api.schemas.shown_notification import (
    AcceptedSchema,
    CancelledSchema,
    NotificationPageSchema,
    ResendQueuedSchema,
    ShownNotificationSchema,
)
from notify_server.domain.notification import Notification, State
from notify_server.services.acceptance import Draft
from notify_server.services.cancellation import Cancelled
from notify_server.services.inspection import Listed, Standing
from notify_server.services.server_tokens import Scope

routes = Routes("notifications", __name__, description="Hand over notifications and see what became of them")


@routes.route("/v1/notifications", methods=["POST"])
@guards.server(Scope.SEND)
@routes.arguments(AcceptanceHeadersSchema, location="headers")
@routes.arguments(NotificationSchema)
@routes.response(202, AcceptedSchema, headers={"Location": {"schema": {"type": "string"}}})
@routes.alt_response(409)
def accept(headers: dict[str, Any], draft: Draft) -> tuple[Any, dict[str, str]]:
    """Accept a notification: once this is answered, it survives any crash."""
    notification = services().acceptance.accept(draft, current_client().id, headers["key"], remote.address())
    return _accepted(notification), {"Location": url_for("notifications.show", notification_id=notification.id)}


@routes.route("/v1/notifications", methods=["GET"])
@guards.server(Scope.READ)
@routes.arguments(NotificationQuerySchema, location="query")
@routes.response(200, NotificationPageSchema)
def list_all(query: dict[str, Any]) -> dict[str, Any]:
    """List notifications, newest first."""
    limit, after = query.pop("limit"), paging.decode_notification(query.pop("cursor"))
    found = services().inspection.page(query, after, limit + 1)
    shown, following = paging.page(found, limit, _id)
    return {"notifications": shown, "next": following}


@routes.route("/v1/notifications/<notification_id>", methods=["GET"])
@guards.server(Scope.READ)
@routes.response(200, ShownNotificationSchema)
def show(notification_id: str) -> Standing:
    """Show a notification with its entries counted by status."""
    return services().inspection.get(notification_id)


@routes.route("/v1/notifications/<notification_id>/registry", methods=["GET"])
@guards.server(Scope.READ)
@routes.arguments(RegistryQuerySchema, location="query")
@routes.response(200, EntryPageSchema)
def registry(query: dict[str, Any], notification_id: str) -> dict[str, Any]:
    """List the registry entries of a notification, in order of user id."""
    limit, after = query["limit"], paging.decode(query["cursor"])
    found = services().inspection.registry(notification_id, query["status"], after, limit + 1)
    shown, following = paging.page(found, limit, lambda entry: str(entry["user_id"]))
    return {"entries": shown, "next": following}


@routes.route("/v1/notifications/<notification_id>/cancel", methods=["POST"])
@guards.server(Scope.SEND)
@routes.arguments(NothingSchema, required=False)
@routes.response(200, CancelledSchema)
@routes.alt_response(409)
def cancel(_: dict[str, Any], notification_id: str) -> Cancelled:
    """Stop whatever of a notification is not sent yet, or would be sent again; asked again, it says how far that is."""
    return services().cancellation.cancel(notification_id)


@routes.route("/v1/notifications/<notification_id>/resend", methods=["POST"])
@guards.server(Scope.SEND)
@routes.arguments(RequestedResendSchema, required=False)
@routes.response(202, ResendQueuedSchema)
@routes.alt_response(409)
def resend(body: dict[str, Any], notification_id: str) -> dict[str, Any]:
    """Send a notification again, to recipients who stand at sent."""
    users = body.get("users")
    queued = services().resending.request(notification_id, users)
    return {"id": notification_id, "queued": queued, "skipped": len(set(users or ())) - queued if users else 0}


def _id(listed: Listed) -> str:
    return listed.notification.id


def _accepted(notification: Notification) -> dict[str, Any]:
    """The answer as it was at acceptance, however often the same key asks for it."""
    return {
        "id": notification.id,
        "state": State.ACCEPTED if notification.send_at is None else State.SCHEDULED,
        "created_at": notification.created_at,
        "expires_at": notification.expires_at,
    }
