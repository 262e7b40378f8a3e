"""Signing in with a server token, and out."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from notify_server.api import limits, remote
from notify_server.api.context import services
from notify_server.console import access, cookies, navigation
from notify_server.errors import Forbidden, Unauthenticated
from notify_server.services.audit import Change, Kind, Party

pages = Blueprint("entrance", __name__)

_WITHIN = re.compile(r"/[A-Za-z0-9?][^\\\s]*")  # a path below the console, and never another host


@pages.get("/sign-in")
@access.open_to_all
def show() -> Response:
    """The form."""
    return _form(HTTPStatus.OK)


@pages.post("/sign-in")
@access.open_to_all
def sign_in() -> AnyResponse:
    """Take a token, and begin a session. Who offers one bad token after another is told to wait."""
    token = request.form.get("token", "").strip()
    if not token:
        return _form(HTTPStatus.UNPROCESSABLE_ENTITY, "Enter a server token.")
    try:
        client = services().sessions.admit(token)
    except Unauthenticated as error:
        limits.count_refusal()
        return _form(HTTPStatus.UNAUTHORIZED, str(error))
    except Forbidden as error:
        return _form(HTTPStatus.FORBIDDEN, str(error))
    g.client = client
    with _noted(client.id, "console.sign_in"):
        if (before := cookies.session()) is not None:
            services().sessions.end(before)
        secret = services().sessions.begin(client, token)
    response = redirect(_onwards(), HTTPStatus.SEE_OTHER)
    cookies.keep(response, cookies.SESSION, secret)
    cookies.drop(response, cookies.VISITOR)
    return response


@pages.post("/sign-out")
@access.needs()
def sign_out() -> AnyResponse:
    """End the session, here and in the database."""
    with _noted(g.client.id, "console.sign_out"):
        services().sessions.end(g.session)
    response = redirect(url_for("entrance.show", why="left"), HTTPStatus.SEE_OTHER)
    cookies.drop(response, cookies.SESSION)
    return response


def _form(status: int, error: str | None = None) -> Response:
    plain = not remote.is_secure() and not remote.is_local()
    page = render_template("sign_in.html", error=error, back=_back(), why=request.args.get("why"), is_plain=plain)
    return make_response(page, status)


def _onwards() -> str:
    """The page that was asked for, else the first that the token may see."""
    start, back = request.script_root + "/", _back()
    first = next((item.url for item in navigation.items()), start)
    leads = back.partition("?")[0] != "/" or first == start
    return request.script_root + back if leads else first


def _back() -> str:
    """Where to go on: the page of ours that was asked for before."""
    asked = request.values.get("back", "")
    return asked if _WITHIN.fullmatch(asked) else "/"


@contextmanager
def _noted(client: str, action: str) -> Iterator[None]:
    """Do this after its line in the audit log was begun; where it fails, the line stays without a status."""
    change = Change(
        actor=Party(Kind.CLIENT, client),
        action=action,
        route=f"{request.method} {request.script_root}{request.path}",
        object=Party(Kind.TOKEN, client),
        address=remote.address(),
    )
    line = services().audit.begin(change)
    yield
    services().audit.end(line, change, HTTPStatus.SEE_OTHER)
