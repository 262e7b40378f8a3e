"""Notifications: listed, and one with its live funnel and its recipients."""

from dataclasses import asdict, dataclass
from typing import Any

from flask import Blueprint, jsonify, render_template, request, url_for
from werkzeug.wrappers import Response

from notify_server.api import paging
from notify_server.api.context import services
from notify_server.console import access, queries
from notify_server.domain.notification import State
from notify_server.domain.registry import Status
from notify_server.services.figures import Course
from notify_server.services.server_tokens import Scope
from notify_server.services.statistics import Question

pages = Blueprint("notifications", __name__)

_OPEN = (Status.PENDING, Status.SENT, Status.RECEIVED)


@pages.get("/notifications")
@access.needs(Scope.READ)
def list_all() -> str:
    """Newest first, narrowed as the address says."""
    asked, after = queries.read(queries.NotificationsSchema), queries.cursor()
    filters, given = queries.filters(asked, "from", "to"), dict[str, Any](asked.given)
    found = services().inspection.page(filters, after, queries.PAGE + 1) if not asked.faults else []
    shown, following = paging.page(found, queries.PAGE, lambda listed: listed.notification.id)
    return render_template(
        "notifications.html",
        asked=asked,
        listed=shown,
        newest=url_for(".list_all", **given) if after else None,
        older=url_for(".list_all", **given, cursor=following) if following else None,
        states=list(State),
    )


@pages.get("/notifications/<notification_id>")
@access.needs(Scope.READ)
def show(notification_id: str) -> str:
    """One, with a page of its recipients."""
    notification, course = services().inspection.content(notification_id), _course(notification_id)
    asked = queries.read(queries.RecipientsSchema)
    status, after = asked.values.get("status"), request.args.get("after") or None
    found = services().inspection.registry(notification_id, status, after, queries.PAGE + 1)
    shown = found[: queries.PAGE]
    following = shown[-1]["user_id"] if len(found) > queries.PAGE else None
    here: dict[str, Any] = {"notification_id": notification_id, **asked.given}
    return render_template(
        "notification.html",
        notification=notification,
        course=course,
        steps=_steps(course),
        moving=_is_moving(notification.state, course),
        asked=asked,
        entries=shown,
        first=url_for(".show", **here, _anchor="recipients") if after else None,
        more=url_for(".show", **here, after=following, _anchor="recipients") if following else None,
    )


@pages.get("/notifications/<notification_id>/live")
@access.needs(Scope.READ, used=False)
def live(notification_id: str) -> Response:
    """What of a notification changes, for the script of its page."""
    notification, course = services().inspection.content(notification_id), _course(notification_id)
    return jsonify(
        state=notification.state.value,
        as_of=course.report.as_of.isoformat(timespec="seconds"),
        steps=[asdict(step) for step in _steps(course)],
        counts={status.value: course.report.totals[status.value] for status in Status},
        curve=[[point["seconds"], point["received"], point["read"]] for point in course.curve],
        moving=_is_moving(notification.state, course),
    )


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a funnel: how many came so far, and their share of all (0 to 1); None where there are none."""

    name: str
    count: int
    share: float | None


def _course(notification: str) -> Course:
    return services().figures.notification(notification, Question())


def _steps(course: Course) -> list[Step]:
    everybody = course.funnel["recipients"]
    return [Step(name, count, count / everybody if everybody else None) for name, count in course.funnel.items()]


def _is_moving(state: State, course: Course) -> bool:
    """Whether anything of it may still change by itself."""
    return state in {State.ACCEPTED, State.DISPATCHING} or any(course.report.totals[status] for status in _OPEN)
