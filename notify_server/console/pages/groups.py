"""Figures of one group, community or category, and the groups that stand out."""

from collections.abc import Callable
from http import HTTPStatus

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from notify_server.api.context import services
from notify_server.console import access, periods, queries
from notify_server.domain import identity, text
from notify_server.errors import NotFound
from notify_server.services.rankings import Choice
from notify_server.services.server_tokens import Scope
from notify_server.services.statistics import Question, Report

pages = Blueprint("groups", __name__)

_ROWS = 20
_guard = access.needs(Scope.STATISTICS, Scope.READ)


@pages.get("/groups")
@_guard
def search() -> str | Response:
    """Look one up by name, or choose from those that read most and least."""
    asked = queries.read(queries.SubjectSchema)
    for kind in ("group", "community", "category"):
        if name := asked.values.get(kind):
            return redirect(url_for(f".{kind}", name=name), HTTPStatus.SEE_OTHER)
    question, rankings = Question(), services().rankings
    most, least = rankings.group_lists(question, Choice(_ROWS), Choice(_ROWS, lowest=True))
    return render_template(
        "groups.html",
        asked=asked,
        most=most.rows,
        least=least.rows,
        categories=rankings.categories(question, Choice(_ROWS)).rows,
    )


@pages.get("/groups/<name>")
@_guard
def group(name: str) -> str:
    """Of entries that were reached through a group."""
    return _page("group", name, services().figures.group)


@pages.get("/communities/<name>")
@_guard
def community(name: str) -> str:
    """Of the notifications of a community."""
    return _page("community", name, services().figures.community)


@pages.get("/categories/<name>")
@_guard
def category(name: str) -> str:
    """Of the notifications of a category."""
    return _page("category", name, services().figures.category)


def _page(kind: str, name: str, figures: Callable[[str, Question], Report]) -> str:
    name = text.nfc(name)
    if not identity.is_possible(name):
        raise NotFound(f"No {kind} can have this name.")
    asked = queries.read(queries.PeriodSchema)
    report = figures(name, periods.question(asked))
    return render_template("subject.html", kind=kind, name=name, asked=asked, report=report)
