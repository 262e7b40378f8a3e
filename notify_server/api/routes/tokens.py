"""Server tokens. A token hands out no scope that it does not have itself, and nothing that outlives it."""

from typing import Any

from notify_server.api import guards, paging
from notify_server.api.blueprint import Routes
from notify_server.api.context import current_client, services
from notify_server.api.schemas.paging import PageSchema
from notify_server.api.schemas.tokens import IssuedTokenSchema, NewTokenSchema, RotationSchema, TokenPageSchema
from notify_server.domain import server_token
from notify_server.services.server_tokens import Scope, require_within

routes = Routes("tokens", __name__, description="Server tokens: what backends prove themselves with")

Issued = tuple[dict[str, Any], dict[str, str]]  # body and headers


@routes.route("/v1/tokens", methods=["GET"])
@guards.server(Scope.ADMIN)
@routes.arguments(PageSchema, location="query")
@routes.response(200, TokenPageSchema)
def list_all(query: dict[str, Any]) -> dict[str, Any]:
    """List the server tokens, in order of id, without their secrets."""
    shown, following = paging.listed(query, services().server_tokens.listed, lambda token: str(token["_id"]))
    return {"tokens": shown, "next": following}


@routes.route("/v1/tokens", methods=["POST"])
@guards.server(Scope.ADMIN)
@routes.arguments(NewTokenSchema)
@routes.response(201, IssuedTokenSchema)
def create(wanted: dict[str, Any]) -> Issued:
    """Make a server token, which is shown this once."""
    asking = current_client()
    require_within(wanted["scopes"], asking.scopes)
    return _issued(
        services().server_tokens.create(wanted["name"], wanted["scopes"], wanted["expires_at"], asking.ends_at)
    )


@routes.route("/v1/tokens/<token_id>/rotate", methods=["POST"])
@guards.server(Scope.ADMIN)
@routes.arguments(RotationSchema, required=False)
@routes.response(200, IssuedTokenSchema)
@routes.alt_response(409)
def rotate(wanted: dict[str, Any], token_id: str) -> Issued:
    """Give a token a new secret, which is shown this once; the old one stays good for a while."""
    asking = current_client()
    return _issued(services().server_tokens.rotate(token_id, within=asking.scopes, latest=asking.ends_at, **wanted))


@routes.route("/v1/tokens/<token_id>", methods=["DELETE"])
@guards.server(Scope.ADMIN)
@routes.response(204)
def revoke(token_id: str) -> None:
    """End a token for good; every process knows within seconds."""
    services().server_tokens.revoke(token_id)


def _issued(token: str) -> Issued:
    shown = services().server_tokens.get(server_token.client_of(token))
    return shown | {"token": token}, {"Cache-Control": "no-store"}
