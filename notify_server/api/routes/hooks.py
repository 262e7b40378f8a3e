"""What mail services report. No token comes with it: each request is signed."""

from flask import request

from notify_server.api import guards
from notify_server.api.blueprint import Routes
from notify_server.api.context import services
from notify_server.channels.mail import sendgrid_events
from notify_server.errors import Forbidden, InvalidInput

routes = Routes("hooks", __name__, description="Signed reports of mail services")


@routes.route("/v1/hooks/sendgrid", methods=["POST"])
@guards.public
@routes.response(204)
@routes.alt_response(403)
@routes.alt_response(413)
@routes.alt_response(415)
@routes.alt_response(422)
@routes.alt_response(503)
def sendgrid() -> None:
    """Take SendGrid's signed events: a list of objects, as its Event Webhook sends them."""
    key, body = services().email_settings.show().settings.webhook_key, request.get_data()
    if key is None or not sendgrid_events.is_signed(key, dict(request.headers), body, services().clock()):
        raise Forbidden("This is not signed with the key of the settings, or was signed too long ago.")
    try:
        events = sendgrid_events.read(body)
    except ValueError:
        raise InvalidInput({"": ["Not a list of events."]}) from None
    services().mail_reports.take(events)
