"""Notifications: listed, and one with its live funnel and its recipients."""

from typing import Any

from flask import Blueprint, jsonify, render_template, request, url_for
from werkzeug.wrappers import Response

from notify_server.api import paging
from notify_server.api.context import services
from notify_server.console import access, funnel, queries
from notify_server.domain.notification import State
from notify_server.domain.registry import Status
from notify_server.services.inspection import Standing
from notify_server.services.server_tokens import Scope

pages = Blueprint("notifications", __name__)


@pages.get("/notifications")
@access.needs(Scope.READ)
def list_all() -> str:
    """Newest first, narrowed as the address says."""
    asked, after = queries.read(queries.NotificationsSchema), queries.cursor()
    filters = {name: value for name, value in asked.values.items() if name not in {"from", "to"}}
    bounds = {
        "from": queries.day(asked.values.get("from")),
        "to": queries.day(asked.values.get("to"), after=1),
    }
    found = services().inspection.page(filters | bounds, after, queries.PAGE + 1) if not asked.faults else []
    shown, following = paging.page(found, queries.PAGE, lambda listed: listed.notification.id)
    return render_template(
        "notifications.html",
        asked=asked,
        listed=shown,
        newest=url_for(".list_all", **asked.given) if after else None,
        older=url_for(".list_all", **asked.given, cursor=following) if following else None,
        states=list(State),
    )


@pages.get("/notifications/<notification_id>")
@access.needs(Scope.READ)
def show(notification_id: str) -> str:
    """One, with a page of its recipients."""
    standing = services().inspection.get(notification_id)
    asked = queries.read(queries.RecipientsSchema)
    status, after = asked.values.get("status"), request.args.get("after") or None
    found = services().inspection.registry(notification_id, status, after, queries.PAGE + 1)
    shown = found[: queries.PAGE]
    following = shown[-1]["user_id"] if len(found) > queries.PAGE else None
    here = {"notification_id": notification_id, **asked.given}
    return render_template(
        "notification.html",
        standing=standing,
        notification=standing.notification,
        steps=funnel.steps(_counts(standing)),
        counts=_counts(standing),
        moving=_is_moving(standing),
        asked=asked,
        entries=shown,
        first=url_for(".show", **here, _anchor="recipients") if after else None,
        more=url_for(".show", **here, after=following, _anchor="recipients") if following else None,
    )


@pages.get("/notifications/<notification_id>/live")
@access.needs(Scope.READ, used=False)
def live(notification_id: str) -> Response:
    """What of a notification changes, for the script of its page."""
    standing = services().inspection.get(notification_id)
    return jsonify(_live(standing))


def _live(standing: Standing) -> dict[str, Any]:
    counts = _counts(standing)
    return {
        "state": standing.notification.state.value,
        "steps": {step.name: {"count": step.count, "share": step.share} for step in funnel.steps(counts)},
        "counts": counts,
        "moving": _is_moving(standing),
    }


def _counts(standing: Standing) -> dict[str, int]:
    """Entries by status, with those of people who were erased since."""
    return {status.value: standing.counts[status.value] + standing.erased[status.value] for status in Status}


def _is_moving(standing: Standing) -> bool:
    return standing.notification.state in {State.ACCEPTED, State.DISPATCHING} or funnel.is_moving(_counts(standing))
