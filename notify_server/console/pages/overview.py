"""The last thirty days at a glance."""

from flask import Blueprint, render_template

from notify_server.console import access
from notify_server.services.server_tokens import Scope

pages = Blueprint("overview", __name__)


@pages.get("/")
@access.needs(Scope.STATISTICS)
def show() -> str:
    """Totals, the course of them, and what stands out."""
    return render_template("overview.html")
