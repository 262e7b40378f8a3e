"""Realtime: payloads for the open apps of some users, with neither push nor an audience to be worked out."""

from typing import Any

from notify_server.api import guards, remote
from notify_server.api.blueprint import Routes
from notify_server.api.context import current_client, services
from notify_server.api.schemas.notification import AcceptanceHeadersSchema
from notify_server.api.schemas.realtime import RealtimeNotifySchema, RealtimeQueuedSchema
from notify_server.services.acceptance import Draft
from notify_server.services.server_tokens import Scope

routes = Routes("realtime", __name__, description="Reach open apps at once")


@routes.route("/api/realtime/internal/notify", methods=["POST"])
@guards.server(Scope.SEND)
@routes.arguments(AcceptanceHeadersSchema, location="headers")
@routes.arguments(RealtimeNotifySchema)
@routes.response(202, RealtimeQueuedSchema)
@routes.alt_response(409)
def notify(headers: dict[str, Any], draft: Draft) -> dict[str, Any]:
    """Send a payload to the open apps of some users; who has none finds it when they connect, or in the inbox."""
    accepted = services().acceptance.accept(draft, current_client().id, headers["key"], remote.address())
    return {"status": "queued", "id": accepted.id}
