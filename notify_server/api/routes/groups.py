"""Groups and their members."""

from typing import Any

from notify_server.api import guards, paging
from notify_server.api.blueprint import Routes
from notify_server.api.context import services
from notify_server.api.schemas.paging import PageSchema
from notify_server.api.schemas.people import GroupSchema, MemberChangedSchema, MemberChangeSchema, ShownGroupSchema
from notify_server.services.server_tokens import Scope

routes = Routes("groups", __name__, description="Groups of users")

_FIRST_PAGE = 50


@routes.route("/v1/groups/<group_id>", methods=["PUT"])
@guards.server(Scope.USERS)
@routes.arguments(GroupSchema)
@routes.response(200, ShownGroupSchema)
@routes.alt_response(201, schema=ShownGroupSchema)
def put(group: dict[str, Any], group_id: str) -> tuple[dict[str, Any], int]:
    """Make a group or change it; `members` replaces everyone in it."""
    new = services().membership.replace(group_id, group["community"], group["members"])
    return _shown(group_id, None, _FIRST_PAGE), 201 if new else 200


@routes.route("/v1/groups/<group_id>", methods=["GET"])
@guards.server(Scope.USERS)
@routes.arguments(PageSchema, location="query")
@routes.response(200, ShownGroupSchema)
def show(query: dict[str, Any], group_id: str) -> dict[str, Any]:
    """Show a group with a page of its members."""
    return _shown(group_id, paging.decode(query["cursor"]), query["limit"])


@routes.route("/v1/groups/<group_id>", methods=["DELETE"])
@guards.server(Scope.USERS)
@routes.response(204)
def delete(group_id: str) -> None:
    """Remove a group; its members stay users."""
    services().membership.delete(group_id)


@routes.route("/v1/groups/<group_id>/members", methods=["POST"])
@guards.server(Scope.USERS)
@routes.arguments(MemberChangeSchema)
@routes.response(200, MemberChangedSchema)
def change(change: dict[str, Any], group_id: str) -> dict[str, int]:
    """Let users join and leave."""
    added, removed = services().membership.change(group_id, change["add"], change["remove"])
    return {"added": added, "removed": removed}


def _shown(group_id: str, after: str | None, limit: int) -> dict[str, Any]:
    group, members = services().membership.get(group_id, after or "", limit + 1)
    shown, following = paging.page(members, limit, str)
    return group | {"members": shown, "next": following}
