"""Every error as a page that says what happened and what to do; who is not signed in is asked to."""

from http import HTTPStatus

import structlog
from flask import Flask, Response, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from notify_server.api.problems import RETRY_AFTER
from notify_server.console import cookies
from notify_server.errors import DatabaseError, MigrationsPending, Refused, TooManyRequests, Unauthenticated

log = structlog.get_logger()


def install(app: Flask) -> None:
    """Answer every error of ours, of Flask's and of nobody's."""
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(Unauthenticated, _unauthenticated)
    app.register_error_handler(DatabaseError, _unavailable)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def page(status: int, title: str, detail: str) -> Response:
    """An error as a page."""
    return make_response(render_template("problem.html", title=title, detail=detail), status)


def malformed(_: Exception) -> Response:
    """The answer to a body whose HTTP framing is broken, which the server in front of Flask finds."""
    return page(400, "Bad request", "This is not a well-formed HTTP request.")


def _refused(error: Refused) -> Response:
    response = page(error.status, error.title, str(error))
    if isinstance(error, TooManyRequests):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _unauthenticated(error: Unauthenticated) -> AnyResponse:
    """Lead a person to the sign-in, and from there back; a script is only told."""
    if "text/html" not in request.headers.get("Accept", ""):
        return page(error.status, error.title, str(error))
    back = request.full_path.rstrip("?") if request.method == "GET" else None
    why = "ended" if cookies.session() is not None else None  # also where its token was revoked, or has expired
    return redirect(url_for("entrance.show", back=back if back != "/" else None, why=why), HTTPStatus.SEE_OTHER)


def _unavailable(error: DatabaseError) -> Response:
    log.warning("page refused: database unavailable", problem=str(error), endpoint=request.endpoint)
    away = "The database does not answer. Nothing was lost; reload the page in some seconds."
    response = page(503, "The database is away", str(error) if isinstance(error, MigrationsPending) else away)
    response.headers["Retry-After"] = RETRY_AFTER
    return response


def _http(error: HTTPException) -> AnyResponse:
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if status < HTTPStatus.BAD_REQUEST:
        return error.get_response()  # a redirect of Flask's
    return page(status, error.name, error.description or error.name)


def _unexpected(error: Exception) -> Response:
    log.error("page failed", endpoint=request.endpoint, exc_info=error)
    return page(500, "Something went wrong", "This is a fault of the server's. It was logged.")
