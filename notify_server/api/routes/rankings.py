"""Top lists of statistics."""

from typing import Any

from notify_server.api import guards
from notify_server.api.blueprint import Routes
from notify_server.api.context import services
from notify_server.api.schemas.statistics import (
    TopCategoriesSchema,
    TopDevicesSchema,
    TopGroupsSchema,
    TopReasonsSchema,
)
from notify_server.api.schemas.statistics_query import TopGroupsQuerySchema, TopQuerySchema, choice, question
from notify_server.services.rankings import TopList
from notify_server.services.server_tokens import Scope

routes = Routes("rankings", __name__, description="What stands out: groups, categories, reasons, devices")

_guard = guards.server(Scope.STATISTICS, Scope.READ)


@routes.route("/v1/statistics/top/groups", methods=["GET"])
@_guard
@routes.arguments(TopGroupsQuerySchema, location="query")
@routes.response(200, TopGroupsSchema)
def groups(query: dict[str, Any]) -> TopList:
    """List groups by read rate."""
    return services().rankings.groups(question(query), choice(query))


@routes.route("/v1/statistics/top/categories", methods=["GET"])
@_guard
@routes.arguments(TopQuerySchema, location="query")
@routes.response(200, TopCategoriesSchema)
def categories(query: dict[str, Any]) -> TopList:
    """List categories by the number of users who have muted them."""
    return services().rankings.categories(question(query), choice(query))


@routes.route("/v1/statistics/top/reasons", methods=["GET"])
@_guard
@routes.arguments(TopQuerySchema, location="query")
@routes.response(200, TopReasonsSchema)
def reasons(query: dict[str, Any]) -> TopList:
    """List why entries are not where they should be, by how many are concerned."""
    return services().rankings.reasons(question(query), choice(query))


@routes.route("/v1/statistics/top/devices", methods=["GET"])
@_guard
@routes.response(200, TopDevicesSchema)
def devices() -> dict[str, Any]:
    """List platforms by the number of their dead targets, with the reasons."""
    return {"platforms": services().rankings.devices()}
