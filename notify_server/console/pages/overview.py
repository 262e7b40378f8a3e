"""The last days at a glance."""

from flask import Blueprint, render_template

from notify_server.api.context import services
from notify_server.console import access, periods, queries
from notify_server.services.rankings import Choice
from notify_server.services.server_tokens import Scope

pages = Blueprint("overview", __name__)

_ROWS = 5  # of a top list
_LEAST = 5  # recipients: of a group of one, everybody has read it


@pages.get("/")
@access.needs(Scope.STATISTICS, Scope.READ)
def show() -> str:
    """Totals, the course of them, what stands out, and whether anything is wrong now."""
    asked = queries.read(queries.PeriodSchema)
    question, rankings, health = periods.question(asked), services().rankings, services().health
    report = services().figures.overview(question)
    return render_template(
        "overview.html",
        asked=asked,
        report=report,
        groups=rankings.groups(question, Choice(_ROWS, least=_LEAST)).rows,
        categories=[row for row in rankings.categories(question, Choice(_ROWS)).rows if row["muted_by"]],
        latest=services().inspection.page({}, None, _ROWS) if access.may_see("notifications.list_all") else [],
        channels=health.channels(),
        workers=health.workers(),
    )
