"""The audit log."""

from typing import Any

from notify_server.api import guards, paging
from notify_server.api.blueprint import Routes
from notify_server.api.context import services
from notify_server.api.schemas.audit import AuditQuerySchema, LinePageSchema
from notify_server.services.server_tokens import Scope

routes = Routes("audit", __name__, description="Who changed what, when, and from where")


@routes.route("/v1/audit", methods=["GET"])
@guards.server(Scope.ADMIN)
@routes.arguments(AuditQuerySchema, location="query")
@routes.response(200, LinePageSchema)
def list_all(query: dict[str, Any]) -> dict[str, Any]:
    """List changes, newest first."""
    limit, after = query.pop("limit"), paging.decode_notification(query.pop("cursor"))
    found = services().audit.page(query, after, limit + 1)
    shown, following = paging.page(found, limit, lambda told: told.line.id)
    return {"lines": shown, "next": following}
