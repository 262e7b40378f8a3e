"""The inbox as JSON:API, for clients of Open Event Server's notifications."""

from collections.abc import Sequence
from typing import Any

from flask import Response

from notify_server.api import guards
from notify_server.api.context import own_user, require_scope, services
from notify_server.api.jsonapi import document
from notify_server.api.jsonapi.document import Shown
from notify_server.api.jsonapi.errors import MEDIA_TYPE, Fault, Faulty
from notify_server.api.jsonapi.parsing import JsonApiRoutes
from notify_server.api.schemas.jsonapi import (
    NOTIFICATION,
    JsonApiChangeDocumentSchema,
    JsonApiLinkageDocumentSchema,
    JsonApiNotificationDocumentSchema,
    JsonApiNotificationsDocumentSchema,
    JsonApiUserDocumentSchema,
)
from notify_server.api.schemas.jsonapi_query import ListQuerySchema, ResourceQuerySchema, UserFieldsSchema
from notify_server.errors import NotFound
from notify_server.services.inbox import Item
from notify_server.services.inbox_pages import REACH, Listing
from notify_server.services.server_tokens import Scope

routes = JsonApiRoutes("jsonapi", __name__, description="The inbox as JSON:API 1.1")


@routes.route("/jsonapi/notifications", methods=["GET"])
@guards.server(Scope.READ)
@routes.arguments(ListQuerySchema, location="query")
@routes.response(200, JsonApiNotificationsDocumentSchema, content_type=MEDIA_TYPE)
def list_all(query: dict[str, Any]) -> Response:
    """List everyone's notifications."""
    return _list(query, None)


@routes.route("/jsonapi/users/<user_id>/notifications", methods=["GET"])
@guards.either(Scope.READ)
@routes.arguments(ListQuerySchema, location="query")
@routes.response(200, JsonApiNotificationsDocumentSchema, content_type=MEDIA_TYPE)
def list_of_user(query: dict[str, Any], user_id: str) -> Response:
    """List a user's notifications; a user token lists its own user's alone."""
    if own_user() not in {None, user_id}:
        raise NotFound(f"There is no user {user_id!r}.")
    return _list(query, user_id)


@routes.route("/jsonapi/notifications/<notification_id>", methods=["GET"])
@guards.either(Scope.READ)
@routes.arguments(ResourceQuerySchema, location="query")
@routes.response(200, JsonApiNotificationDocumentSchema, content_type=MEDIA_TYPE)
def show(query: dict[str, Any], notification_id: str) -> Response:
    """Show one notification of one user."""
    return _one(_found(notification_id), query)


@routes.route("/jsonapi/notifications/<notification_id>", methods=["PATCH"])
@guards.user
@routes.arguments(ResourceQuerySchema, location="query")
@routes.arguments(JsonApiChangeDocumentSchema, content_type=MEDIA_TYPE)
@routes.response(200, JsonApiNotificationDocumentSchema, content_type=MEDIA_TYPE)
@routes.alt_response(409, description="Another type or id than that of the path")
def mark(query: dict[str, Any], body: dict[str, Any], notification_id: str) -> Response:
    """Mark a notification as read, which is a receipt, or as unread again; nothing else can be changed."""
    found = _found(notification_id)
    _require_same(body["data"], found)
    if (read := body["data"]["attributes"].get("is_read")) is not None:
        found = services().inbox.mark(found.user, found.notification.id, read=read)
    return _one(found, query)


@routes.route("/jsonapi/notifications/<notification_id>/user", methods=["GET"])
@guards.either(Scope.USERS)
@routes.arguments(UserFieldsSchema, location="query")
@routes.response(200, JsonApiUserDocumentSchema, content_type=MEDIA_TYPE)
def show_user(query: dict[str, Any], notification_id: str) -> Response:
    """Show the user of a notification."""
    found = services().inbox_pages.users([_found(notification_id).user])
    return document.respond(next((document.user(person, _shown(query)) for person in found), None))


@routes.route("/jsonapi/notifications/<notification_id>/relationships/user", methods=["GET"])
@guards.either(Scope.READ)
@routes.arguments(ResourceQuerySchema, location="query")
@routes.response(200, JsonApiLinkageDocumentSchema, content_type=MEDIA_TYPE)
def show_relationship(query: dict[str, Any], notification_id: str) -> Response:
    """Show which user a notification belongs to."""
    item = _found(notification_id)
    return document.respond(**document.linkage(item), included=_included([item], query))


def _list(query: dict[str, Any], user: str | None) -> Response:
    number, size = query["number"], query["size"]
    if (number - 1) * size >= REACH:
        fault = Fault(f"A list ends after {REACH} notifications.", parameter="page[number]")
        raise Faulty(400, "Invalid query parameter", [fault])
    found = services().inbox_pages.page(Listing(user, query["view"], query["sort"]), number, size)
    return document.respond(
        [document.notification(item, _shown(query)) for item in found.items],
        document.page_links(number, size, found.count),
        included=_included(found.items, query),
        meta={"count": found.count},
    )


def _one(item: Item, query: dict[str, Any]) -> Response:
    return document.respond(document.notification(item, _shown(query)), included=_included([item], query))


def _found(resource_id: str) -> Item:
    """The notification that an id names. Raises NotFound, also for what is another user's."""
    notification, named = document.take_apart(resource_id)
    user = own_user() or named
    if user is None:
        raise NotFound("A server token names a notification of one user: {notification_id}:{user_id}.")
    if named not in {None, user}:
        raise NotFound(f"There is no notification {resource_id[:200]!r}.")
    return services().inbox.get(user, notification)


def _included(found: Sequence[Item], query: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The users of these notifications, where they are asked for. Raises Forbidden."""
    if query["include"] is None:
        return None
    if not query["include"]:
        return []
    require_scope(Scope.USERS)
    users = services().inbox_pages.users(sorted({item.user for item in found}))
    return [document.user(person, _shown(query)) for person in users]


def _require_same(data: dict[str, Any], item: Item) -> None:
    """Raises Faulty (409) where the body names another resource than the path."""
    same = {"type": {NOTIFICATION}, "id": {item.notification.id, document.entry_id(item)}}
    others = [name for name, possible in same.items() if data[name] not in possible]
    if others:
        faults = [Fault(f"Another {name} than that of the path.", f"/data/{name}") for name in others]
        raise Faulty(409, "Conflict", faults)


def _shown(query: dict[str, Any]) -> Shown:
    return Shown(query.get("notifications"), query["users"])
