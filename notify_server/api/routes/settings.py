"""Settings that apply without a restart."""

from notify_server.api import guards
from notify_server.api.blueprint import Routes
from notify_server.api.context import services
from notify_server.api.schemas.email_settings import EmailSettingsSchema, ShownEmailSettingsSchema
from notify_server.domain.email_settings import EmailSettings
from notify_server.services.email_settings import Shown
from notify_server.services.server_tokens import Scope

routes = Routes("settings", __name__, description="Settings that apply within a second, without a restart")


@routes.route("/v1/settings/email", methods=["GET"])
@guards.server(Scope.ADMIN)
@routes.response(200, ShownEmailSettingsSchema)
def show_email() -> Shown:
    """Show how mail goes out, without secrets."""
    return services().email_settings.show()


@routes.route("/v1/settings/email", methods=["PUT"])
@guards.server(Scope.ADMIN)
@routes.arguments(EmailSettingsSchema)
@routes.response(200, ShownEmailSettingsSchema)
@routes.alt_response(409)
def put_email(wanted: EmailSettings) -> Shown:
    """Set how mail goes out. A secret that is left out stays, as long as what it is for stays."""
    return services().email_settings.put(wanted)
