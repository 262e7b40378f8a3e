"""What a request finds around it."""

from typing import cast

from flask import Flask, current_app, g

from notify_server.bootstrap import Services
from notify_server.errors import Forbidden
from notify_server.services.server_tokens import Client, Scope

_KEY = "notify_server"


def attach(app: Flask, built: Services) -> None:
    """Make `built` the services of this application."""
    app.extensions[_KEY] = built


def services() -> Services:
    """The services of the current application."""
    return cast(Services, current_app.extensions[_KEY])


def current_user() -> str:
    """The user whose token came with the request."""
    return cast(str, g.user)


def own_user() -> str | None:
    """The same, where a user token came; None where a server token did."""
    return cast("str | None", g.get("user"))


def require_scope(scope: Scope) -> None:
    """Raises Forbidden where a server token came, and without `scope`."""
    if "client" in g and scope not in current_client().scopes:
        raise Forbidden(f"This token lacks the scope {scope!s}.")


def current_client() -> Client:
    """The client whose server token came with the request."""
    return cast(Client, g.client)
