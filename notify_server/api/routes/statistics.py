"""Statistics: figures of everything, and of one group, community, category, user or notification."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response

from notify_server.api import guards, tables
from notify_server.api.blueprint import Routes
from notify_server.api.context import services
from notify_server.api.schemas.statistics import NotificationStatisticsSchema, PointSchema, StatisticsSchema
from notify_server.api.schemas.statistics_query import StatisticsQuerySchema, question
from notify_server.services.figures import Course
from notify_server.services.server_tokens import Scope
from notify_server.services.statistics import Report

routes = Routes("statistics", __name__, description="What became of what was entered in a period")

_AS_CSV = {200: {"content": {tables.MEDIA_TYPE: {"schema": {"type": "string"}}}}}
_guard = guards.server(Scope.STATISTICS, Scope.READ)
_point = PointSchema()


@routes.route("/v1/statistics", methods=["GET"])
@_guard
@routes.doc(responses=_AS_CSV)
@routes.arguments(StatisticsQuerySchema, location="query")
@routes.response(200, StatisticsSchema)
def overview(query: dict[str, Any]) -> Report | Response:
    """Give figures of every entry."""
    found = services().figures.overview(question(query))
    return _series(found.series) if tables.wanted() else found


@routes.route("/v1/statistics/users/<user_id>", methods=["GET"])
@_guard
@routes.doc(responses=_AS_CSV)
@routes.arguments(StatisticsQuerySchema, location="query")
@routes.response(200, StatisticsSchema)
def user(query: dict[str, Any], user_id: str) -> Report | Response:
    """Give figures of what a user was sent."""
    found = services().figures.user(user_id, question(query))
    return _series(found.series) if tables.wanted() else found


@routes.route("/v1/statistics/groups/<group_id>", methods=["GET"])
@_guard
@routes.doc(responses=_AS_CSV)
@routes.arguments(StatisticsQuerySchema, location="query")
@routes.response(200, StatisticsSchema)
def group(query: dict[str, Any], group_id: str) -> Report | Response:
    """Give figures of the entries that were reached through a group."""
    found = services().figures.group(group_id, question(query))
    return _series(found.series) if tables.wanted() else found


@routes.route("/v1/statistics/communities/<community_id>", methods=["GET"])
@_guard
@routes.doc(responses=_AS_CSV)
@routes.arguments(StatisticsQuerySchema, location="query")
@routes.response(200, StatisticsSchema)
def community(query: dict[str, Any], community_id: str) -> Report | Response:
    """Give figures of the notifications of a community."""
    found = services().figures.community(community_id, question(query))
    return _series(found.series) if tables.wanted() else found


@routes.route("/v1/statistics/categories/<category_id>", methods=["GET"])
@_guard
@routes.doc(responses=_AS_CSV)
@routes.arguments(StatisticsQuerySchema, location="query")
@routes.response(200, StatisticsSchema)
def category(query: dict[str, Any], category_id: str) -> Report | Response:
    """Give figures of the notifications of a category; of one that nobody has used, zeros."""
    found = services().figures.category(category_id, question(query))
    return _series(found.series) if tables.wanted() else found


@routes.route("/v1/statistics/notifications/<notification_id>", methods=["GET"])
@_guard
@routes.doc(responses=_AS_CSV)
@routes.arguments(StatisticsQuerySchema, location="query")
@routes.response(200, NotificationStatisticsSchema)
def notification(query: dict[str, Any], notification_id: str) -> Course | Response:
    """Give figures of a notification, with its funnel and delivery curve; by default of all its entries."""
    found = services().figures.notification(notification_id, question(query))
    return _series(found.report.series) if tables.wanted() else found


def _series(series: Sequence[Mapping[str, Any]]) -> Response:
    return tables.answer([_point.dump(point) for point in series], list(_point.fields))
