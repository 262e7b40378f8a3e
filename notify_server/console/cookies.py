"""The console's two cookies: one proves a session, the other binds the form of the sign-in to a browser."""

import secrets

from flask import g, request
from werkzeug.wrappers import Response

from notify_server.api import remote

SESSION = "notify_console"
VISITOR = "notify_console_visitor"
_MOST = 64  # characters of a secret of ours


def session() -> str | None:
    """The secret of the session that the browser says it has."""
    return _secret(SESSION)


def visitor() -> str:
    """The secret of a browser that has not signed in; a new one is sent along with the answer."""
    if "visitor" not in g:
        g.visitor = _secret(VISITOR) or secrets.token_urlsafe(32)
    return str(g.visitor)


def keep(response: Response, name: str, secret: str) -> None:
    """Let the browser keep a secret until it is closed: for the console alone, and for no script and no other site."""
    response.set_cookie(
        name, secret, path=request.script_root or "/", httponly=True, samesite="Strict", secure=remote.is_secure()
    )


def drop(response: Response, name: str) -> None:
    """Let the browser forget it."""
    response.delete_cookie(name, path=request.script_root or "/", httponly=True, samesite="Strict")


def _secret(name: str) -> str | None:
    found = request.cookies.get(name)
    return found if found and len(found) <= _MOST else None
