"""Who may see a page: each names scopes of which it asks for one beside `admin`, or is open to all."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, current_app, g, request

from notify_server.api import limits
from notify_server.api.context import current_client, services
from notify_server.api.marks import Marks, View
from notify_server.console import cookies
from notify_server.errors import Forbidden, Unauthenticated
from notify_server.services.server_tokens import Scope


@dataclass(frozen=True, slots=True)
class Access:
    """One of `scopes` is needed of who is signed in (empty: any); None: nobody need be signed in.

    `used`: to ask for it keeps a session going.
    """

    scopes: frozenset[Scope] | None
    used: bool = True


_accesses = Marks[Access]("__access__")


def needs(*scopes: Scope, used: bool = True) -> Callable[[View], View]:
    """A session is needed whose token has one of these scopes; `used`: not so what a page asks for by itself."""
    return _accesses.put(Access(frozenset(scopes), used))


def open_to_all(view: View) -> View:
    """Nobody need be signed in."""
    return _accesses.put(Access(None))(view)


def access_to(app: Flask, endpoint: str) -> Access | None:
    """What a registered view asks for."""
    return _accesses.of(app, endpoint)


def may_see(endpoint: str) -> bool:
    """Whether who is signed in may see a page."""
    found = access_to(current_app, endpoint)
    return found is not None and (not found.scopes or not found.scopes.isdisjoint(current_client().scopes))


def install(app: Flask) -> None:
    """Check that every page says who may see it, and enforce that. Raises LookupError naming those that do not."""
    open_to_all(app.view_functions["static"])
    _accesses.require(app, "Pages that do not say who may see them")
    app.jinja_env.globals.update(may_see=may_see)
    app.before_request(_admit)


def _admit() -> None:
    if request.endpoint is None:
        return  # no page: the answer is 404 or 405
    found = access_to(current_app, request.endpoint)
    if found is None:
        raise Forbidden("This page does not say who may see it.")  # it was added after the check
    if found.scopes is None:
        return
    secret = cookies.session()
    if secret is None:
        raise Unauthenticated("Please sign in.")
    g.client = services().sessions.holder(secret, used=found.used)
    g.session = secret
    limits.count()
    if not may_see(request.endpoint):
        raise Forbidden(f"The token that you signed in with lacks the scope {' or '.join(sorted(found.scopes))}.")
