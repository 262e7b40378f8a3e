"""Devices by platform: how many can be reached, and why the others cannot."""

from flask import Blueprint, render_template

from notify_server.api.context import services
from notify_server.console import access
from notify_server.services.server_tokens import Scope

pages = Blueprint("devices", __name__)


@pages.get("/devices")
@access.needs(Scope.STATISTICS, Scope.READ)
def show() -> str:
    """As they are now."""
    return render_template("devices.html", platforms=services().rankings.devices())
