"""Users, as the backend manages them."""

from typing import Any

from flask import Response

from notify_server.api import guards, ndjson, paging
from notify_server.api.blueprint import Routes
from notify_server.api.context import services
from notify_server.api.schemas.paging import PageSchema
from notify_server.api.schemas.people import (
    EXPORT,
    NDJSON,
    ErasedSchema,
    NothingSchema,
    ProfileSchema,
    UserSchema,
    UserTokenSchema,
)
from notify_server.api.schemas.registry import EntryPageSchema
from notify_server.domain.user import User
from notify_server.services.erasing import Proof
from notify_server.services.server_tokens import Scope

routes = Routes("users", __name__, description="Users: people, by the backend's own ids")


@routes.route("/v1/users/<user_id>", methods=["PUT"])
@guards.server(Scope.USERS)
@routes.arguments(ProfileSchema)
@routes.response(200, UserSchema)
@routes.alt_response(201, schema=UserSchema)
def put(profile: dict[str, Any], user_id: str) -> tuple[User, int]:
    """Make a user or change the fields given."""
    new = services().people.put(user_id, profile)
    return services().people.get(user_id), 201 if new else 200


@routes.route("/v1/users/<user_id>", methods=["GET"])
@guards.server(Scope.USERS)
@routes.response(200, UserSchema)
def show(user_id: str) -> User:
    """Show a user."""
    return services().people.get(user_id)


@routes.route("/v1/users/<user_id>", methods=["DELETE"])
@guards.server(Scope.USERS)
@routes.response(200, ErasedSchema)
def erase(user_id: str) -> Proof:
    """Erase a person: devices, registry entries, profile, and wherever they are named. Says what was removed."""
    return services().erasing.erase(user_id)


@routes.route("/v1/users/<user_id>/export", methods=["GET"])
@guards.server(Scope.USERS)
@routes.response(200, EXPORT, content_type=NDJSON)
def export(user_id: str) -> Response:
    """Export everything that is stored about a person: a JSON record on each line, at last one of kind `end`."""
    records = services().export.of(user_id)
    answer = Response(ndjson.pieces(records), content_type=NDJSON)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@routes.route("/v1/users/<user_id>/registry", methods=["GET"])
@guards.server(Scope.READ)
@routes.arguments(PageSchema, location="query")
@routes.response(200, EntryPageSchema)
def registry(query: dict[str, Any], user_id: str) -> dict[str, Any]:
    """List the registry entries of a user, newest first."""
    limit, after = query["limit"], paging.decode_notification(query["cursor"])
    found = services().inspection.registry_of_user(user_id, after, limit + 1)
    shown, following = paging.page(found, limit, lambda entry: str(entry["notification_id"]))
    return {"entries": shown, "next": following}


@routes.route("/v1/users/<user_id>/tokens", methods=["POST"])
@guards.server(Scope.USERS)
@routes.arguments(NothingSchema, required=False)
@routes.response(201, UserTokenSchema)
@routes.alt_response(409)
def mint(_: dict[str, Any], user_id: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Mint a user token for a device of this user; 409 where this server has no secret to sign with."""
    token, expires_at = services().user_tokens.mint(user_id)
    return {"token": token, "expires_at": expires_at}, {"Cache-Control": "no-store"}
