"""The mail registry."""

from dataclasses import fields
from typing import Any

from notify_server.api import guards, paging
from notify_server.api.blueprint import Routes
from notify_server.api.context import services
from notify_server.api.schemas.mails import (
    AllowedSchema,
    MailAddressSchema,
    MailPageSchema,
    MailQuerySchema,
    ShownMailSchema,
)
from notify_server.services.mail_log import ShownMail
from notify_server.services.server_tokens import Scope

routes = Routes("mails", __name__, description="The mail registry: what became of each mail")


@routes.route("/v1/mails", methods=["GET"])
@guards.server(Scope.ADMIN)
@routes.arguments(MailQuerySchema, location="query")
@routes.response(200, MailPageSchema)
def list_all(query: dict[str, Any]) -> dict[str, Any]:
    """List mails, those of the newest notifications first."""
    limit, after = query.pop("limit"), paging.decode(query.pop("cursor"))
    if "status" in query:
        query["status"] = query["status"].value
    found = services().mail_log.page(query, after, limit + 1)
    shown, following = paging.page(found, limit, lambda record: record.id)
    return {"mails": shown, "next": following}


@routes.route("/v1/mails/<mail_id>", methods=["GET"])
@guards.server(Scope.ADMIN)
@routes.response(200, ShownMailSchema)
def show(mail_id: str) -> dict[str, Any]:
    """Show a mail with its message."""
    return _shown(services().mail_log.get(mail_id))


@routes.route("/v1/mails/allow", methods=["POST"])
@guards.server(Scope.ADMIN)
@routes.arguments(MailAddressSchema)
@routes.response(200, AllowedSchema)
def allow(named: dict[str, Any]) -> dict[str, bool]:
    """Let an address be mailed again that was blocked since a mail to it bounced."""
    return {"allowed": services().mail_log.allow(named["address"])}


def _shown(found: ShownMail) -> dict[str, Any]:
    record = found.record
    return {field.name: getattr(record, field.name) for field in fields(record)} | {"message": found.message}
