"""Statistics: figures of everything, and of one group, community, category, user or notification."""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce, wraps
from typing import Any, TypeVar

from flask import Response
from marshmallow import Schema

from notify_server.api import guards, tables
from notify_server.api.blueprint import Routes
from notify_server.api.context import services
from notify_server.api.schemas.statistics import NotificationStatisticsSchema, PointSchema, StatisticsSchema
from notify_server.api.schemas.statistics_query import StatisticsQuerySchema, question
from notify_server.services.figures import Course
from notify_server.services.server_tokens import Scope
from notify_server.services.statistics import Question, Report

routes = Routes("statistics", __name__, description="What became of what was entered in a period")

_View = TypeVar("_View", bound=Callable[..., Report | Course])
_AS_CSV = {200: {"content": {tables.MEDIA_TYPE: {"schema": {"type": "string"}}}}}
_point = PointSchema()


def _figures(path: str, schema: type[Schema] = StatisticsSchema) -> Callable[[_View], _View]:
    """The route at `path` below /v1/statistics: the view gets the question, and who prefers it the series as CSV."""

    def routed(view: _View) -> _View:
        @wraps(view)
        def answer(query: dict[str, Any], **named: str) -> Report | Course | Response:
            found = view(question(query), **named)
            return _series(found.series) if tables.wanted() else found

        steps = (
            routes.response(200, schema),
            routes.arguments(StatisticsQuerySchema, location="query"),
            routes.doc(responses=_AS_CSV),
            guards.server(Scope.STATISTICS, Scope.READ),
            routes.route(f"/v1/statistics{path}", methods=["GET"]),
        )
        reduce(lambda made, step: step(made), steps, answer)
        return view

    return routed


@_figures("")
def overview(asked: Question) -> Report:
    """Give figures of every entry."""
    return services().figures.overview(asked)


@_figures("/users/<user_id>")
def user(asked: Question, user_id: str) -> Report:
    """Give figures of what a user was sent."""
    return services().figures.user(user_id, asked)


@_figures("/groups/<group_id>")
def group(asked: Question, group_id: str) -> Report:
    """Give figures of the entries that were reached through a group."""
    return services().figures.group(group_id, asked)


@_figures("/communities/<community_id>")
def community(asked: Question, community_id: str) -> Report:
    """Give figures of the notifications of a community."""
    return services().figures.community(community_id, asked)


@_figures("/categories/<category_id>")
def category(asked: Question, category_id: str) -> Report:
    """Give figures of the notifications of a category; of one that nobody has used, zeros."""
    return services().figures.category(category_id, asked)


@_figures("/notifications/<notification_id>", NotificationStatisticsSchema)
def notification(asked: Question, notification_id: str) -> Course:
    """Give figures of a notification, with its funnel and delivery curve; by default of all its entries."""
    return services().figures.notification(notification_id, asked)


def _series(series: Sequence[Mapping[str, Any]]) -> Response:
    return tables.answer([_point.dump(point) for point in series], list(_point.fields))
