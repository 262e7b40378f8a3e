"""The queue and FCM: how far behind the server is, how fast it may send, and who sends."""

from flask import Blueprint, render_template

from notify_server.api.context import services
from notify_server.console import access

pages = Blueprint("health", __name__)

SLOW = 5.0  # seconds: a queue that is older than this is behind


@pages.get("/health")
@access.needs()
def show() -> str:
    """How it is now."""
    health = services().health
    return render_template(
        "health.html",
        age=health.queue_age(),
        slow=SLOW,
        channels=health.channels(),
        workers=health.workers(),
        mail=services().email_settings.show().settings,
        catches=services().catcher is not None,
    )
