"""Subscriptions: what a user has muted. To unsubscribe is to delete the subscription, to mute nothing the default."""

from typing import Any

from notify_server.api import guards
from notify_server.api.blueprint import Routes
from notify_server.api.context import current_user, services
from notify_server.api.schemas.people import NothingSchema
from notify_server.api.schemas.subscription import SubscriptionsSchema
from notify_server.domain.user import Mutable

routes = Routes("subscriptions", __name__, description="What a user wants to be notified of")


@routes.route("/v1/me/subscriptions", methods=["GET"])
@guards.user
@routes.response(200, SubscriptionsSchema)
def show() -> dict[str, Any]:
    """Show what is muted; everything else is subscribed to."""
    return {"muted": services().subscriptions.muted(current_user())}


@routes.route("/v1/me/subscriptions/groups/<group_id>", methods=["DELETE"])
@guards.user
@routes.response(204)
@routes.alt_response(409)
def mute_group(group_id: str) -> None:
    """Unsubscribe from what comes through a group alone."""
    services().subscriptions.mute(current_user(), Mutable.GROUPS, group_id)


@routes.route("/v1/me/subscriptions/groups/<group_id>", methods=["PUT"])
@guards.user
@routes.arguments(NothingSchema, required=False)
@routes.response(204)
def unmute_group(_: dict[str, Any], group_id: str) -> None:
    """Subscribe to a group again."""
    services().subscriptions.unmute(current_user(), Mutable.GROUPS, group_id)


@routes.route("/v1/me/subscriptions/categories/<category_id>", methods=["DELETE"])
@guards.user
@routes.response(204)
@routes.alt_response(409)
def mute_category(category_id: str) -> None:
    """Unsubscribe from a category."""
    services().subscriptions.mute(current_user(), Mutable.CATEGORIES, category_id)


@routes.route("/v1/me/subscriptions/categories/<category_id>", methods=["PUT"])
@guards.user
@routes.arguments(NothingSchema, required=False)
@routes.response(204)
def unmute_category(_: dict[str, Any], category_id: str) -> None:
    """Subscribe to a category again."""
    services().subscriptions.unmute(current_user(), Mutable.CATEGORIES, category_id)
