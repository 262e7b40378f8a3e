"""The inbox: what a user was notified of, and has read."""

from typing import Any

from notify_server.api import guards, paging
from notify_server.api.blueprint import Routes
from notify_server.api.context import current_user, services
from notify_server.api.schemas.inbox import (
    InboxCountsSchema,
    InboxItemSchema,
    InboxPageSchema,
    InboxQuerySchema,
    MarkedSchema,
    MarkReadSchema,
    ReadMarkSchema,
)
from notify_server.services.inbox import Counts, Filter, Item, Marked

routes = Routes("inbox", __name__, description="What a user was notified of")


@routes.route("/v1/me/notifications", methods=["GET"])
@guards.user
@routes.arguments(InboxQuerySchema, location="query")
@routes.response(200, InboxPageSchema)
def list_all(query: dict[str, Any]) -> dict[str, Any]:
    """List the user's notifications, newest first."""
    wanted = Filter(query["state"], query["group"], query["category"])
    after = paging.decode_notification(query["cursor"])
    found = services().inbox.page(current_user(), wanted, after, query["limit"])
    following = None if found.last is None else paging.encode(found.last)
    return {"notifications": found.items, "next": following, "unread": services().inbox.unread(current_user())}


@routes.route("/v1/me/notifications/counts", methods=["GET"])
@guards.user
@routes.response(200, InboxCountsSchema)
def counts() -> Counts:
    """Count what is unread."""
    return services().inbox.counts(current_user())


@routes.route("/v1/me/notifications/<notification_id>", methods=["GET"])
@guards.user
@routes.response(200, InboxItemSchema)
def show(notification_id: str) -> Item:
    """Show one notification."""
    return services().inbox.get(current_user(), notification_id)


@routes.route("/v1/me/notifications/<notification_id>", methods=["PATCH"])
@guards.user
@routes.arguments(ReadMarkSchema)
@routes.response(200, InboxItemSchema)
def mark(body: dict[str, Any], notification_id: str) -> Item:
    """Mark a notification as read, which is a receipt, or as unread again; nothing else can be changed."""
    return services().inbox.mark(current_user(), notification_id, read=body["is_read"])


@routes.route("/v1/me/notifications/read", methods=["POST"])
@guards.user
@routes.arguments(MarkReadSchema)
@routes.response(200, MarkedSchema)
def mark_read(wanted: Marked) -> dict[str, Any]:
    """Mark as read what came through groups, what is of categories, or everything."""
    return {"updated": services().inbox.mark_read(current_user(), wanted)}
