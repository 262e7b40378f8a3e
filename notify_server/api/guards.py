"""Who may call a route. A route without a guard is refused when the application is built."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, current_app, g, request

from notify_server.api.context import services
from notify_server.api.marks import Marks, View
from notify_server.domain.server_token import take_apart
from notify_server.errors import Forbidden, Unauthenticated
from notify_server.services.server_tokens import Scope


@dataclass(frozen=True, slots=True)
class Guard:
    """What a route asks for: nothing (public), a user token, or a server token with one of `scopes`.

    `or_user`: a user token is as good, for what is its user's own.
    """

    scheme: str | None
    scopes: tuple[Scope, ...] = ()
    or_user: bool = False

    @property
    def security(self) -> list[dict[str, list[str]]]:
        """The same as OpenAPI says it: the alternatives, of which one is needed."""
        needed: list[dict[str, list[str]]] = []
        if self.scheme:
            needed = [{self.scheme: [scope.value]} for scope in self.scopes] or [{self.scheme: []}]
        return needed + ([{"userToken": []}] if self.or_user else [])

    def __str__(self) -> str:
        return " or ".join(self.scopes)


_guards = Marks[Guard]("__guard__")
PUBLIC = Guard(None)
USER = Guard("userToken")


def guarded(guard: Guard) -> Callable[[View], View]:
    """Mark a view with its guard."""
    return _guards.put(guard)


def server(*scopes: Scope) -> Callable[[View], View]:
    """A server token with one of `scopes` is needed."""
    return guarded(Guard("serverToken", scopes))


def either(scope: Scope) -> Callable[[View], View]:
    """A server token with `scope` is needed, or a user token, which the view must confine to its user."""
    return guarded(Guard("serverToken", (scope,), or_user=True))


def user(view: View) -> View:
    """A user token is needed; the route serves that user alone."""
    return guarded(USER)(view)


def public(view: View) -> View:
    """Open to everyone: probes and documentation."""
    return guarded(PUBLIC)(view)


def guard_of(app: Flask, endpoint: str) -> Guard | None:
    """The guard of a registered view."""
    return _guards.of(app, endpoint)


def install(app: Flask, count: Callable[[], None]) -> None:
    """Check that every route has a guard, and enforce them. Raises LookupError naming the routes that have none.

    `count` is called for each request once it is known who calls, and before it may be refused for lack of a scope.
    """
    _guards.require(app, "Routes without a guard")
    app.before_request(_identify)
    app.before_request(count)
    app.before_request(_authorise)


def _identify() -> None:
    if request.endpoint is None:
        return  # no route: the answer is 404 or 405
    guard = guard_of(current_app, request.endpoint)
    if guard is None:
        raise Forbidden("This route has no guard.")  # it was added after the check
    if guard is PUBLIC:
        return
    token = _bearer()
    if guard is USER or (guard.or_user and take_apart(token) is None):
        g.user = services().user_tokens.authenticate(token)
    else:
        g.client = services().server_tokens.authenticate(token)


def _authorise() -> None:
    if "client" in g:
        guard = guard_of(current_app, request.endpoint or "")
        if guard is None or g.client.scopes.isdisjoint(guard.scopes):
            raise Forbidden(f"This token lacks the scope {guard!s}.")


def _bearer() -> str:
    authorization = request.authorization
    if authorization is None or authorization.type != "bearer" or not authorization.token:
        raise Unauthenticated("Send a token: Authorization: Bearer …")
    return authorization.token
