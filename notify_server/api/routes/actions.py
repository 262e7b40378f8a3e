"""Actions: what can happen in a backend, and how users are told of it."""

from dataclasses import replace
from typing import Any

from notify_server.api import guards, paging
from notify_server.api.blueprint import Routes
from notify_server.api.context import services
from notify_server.api.schemas.action import ActionPageSchema, ActionSchema, ShownActionSchema
from notify_server.api.schemas.paging import PageSchema
from notify_server.domain.action import Action
from notify_server.errors import NotFound
from notify_server.services.server_tokens import Scope

routes = Routes("actions", __name__, description="What can happen, and how users are told of it")


@routes.route("/v1/actions", methods=["GET"])
@guards.server(Scope.READ)
@routes.arguments(PageSchema, location="query")
@routes.response(200, ActionPageSchema)
def list_all(query: dict[str, Any]) -> dict[str, Any]:
    """List the actions by name."""
    shown, following = paging.listed(query, services().actions.listed, lambda action: action.name)
    return {"actions": shown, "next": following}


@routes.route("/v1/actions/<action_name>", methods=["GET"])
@guards.server(Scope.READ)
@routes.response(200, ShownActionSchema)
def show(action_name: str) -> Action:
    """Show an action."""
    found = services().actions.find(action_name)
    if found is None:
        raise NotFound(f"There is no action {action_name!r}.")
    return found


@routes.route("/v1/actions/<action_name>", methods=["PUT"])
@guards.server(Scope.ADMIN)
@routes.arguments(ActionSchema)
@routes.response(200, ShownActionSchema)
@routes.alt_response(201, schema=ShownActionSchema)
def put(action: Action, action_name: str) -> tuple[Action, int]:
    """Make an action or replace it; what is left out gets its default."""
    stored, new = services().actions.put(replace(action, name=action_name))
    return stored, 201 if new else 200
