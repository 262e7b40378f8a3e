"""Every error answer: RFC 9457 `application/problem+json`, and never a traceback or an HTML page.

Below /jsonapi the same errors become documents of JSON:API.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from itertools import islice
from typing import Any

import structlog
from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from notify_server.api.jsonapi import errors as jsonapi
from notify_server.errors import (
    DatabaseError,
    InvalidInput,
    KeysUnavailable,
    MigrationsPending,
    Refused,
    TooManyRequests,
)

log = structlog.get_logger()

RETRY_AFTER = "5"  # seconds: about what a replica set needs to elect a primary
MAX_FAULTS = 100  # fields named in one answer


def problem(status: int, title: str, detail: str, errors: Mapping[str, Sequence[str]] | None = None) -> Response:
    """A problem document; `errors` maps field paths to messages, of which the first MAX_FAULTS are shown."""
    if jsonapi.is_spoken():
        found = [jsonapi.Fault(f"{path}: {' '.join(messages)}") for path, messages in (errors or {}).items()]
        return jsonapi.refusal(status, title, found or [jsonapi.Fault(detail)])
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    if errors is not None:
        body["errors"] = dict(islice(errors.items(), MAX_FAULTS))
    response = jsonify(body)
    response.status_code = status
    response.content_type = "application/problem+json"
    return response


def install(app: Flask) -> None:
    """Answer every error of ours, of Flask's and of nobody's."""
    app.register_error_handler(Refused, refused)
    jsonapi.install(app)
    app.register_error_handler(DatabaseError, _unavailable)
    app.register_error_handler(KeysUnavailable, _without_keys)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def malformed(_: Exception) -> Response:
    """The answer to a body whose HTTP framing is broken, which the server in front of Flask finds."""
    return problem(400, "Bad request", "This is not a well-formed HTTP request.")


def refused(error: Refused) -> Response:
    """The answer to an error of the caller's."""
    errors = error.errors if isinstance(error, InvalidInput) else None
    detail = "See errors for what is wrong with each field." if errors is not None else str(error)
    response = problem(error.status, error.title, detail, errors)
    if error.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyRequests):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _unavailable(error: DatabaseError) -> Response:
    log.warning("request refused: database unavailable", problem=str(error), endpoint=request.endpoint)
    away = "The database is away. Nothing was lost; please try again."
    detail = str(error) if isinstance(error, MigrationsPending) else away
    response = problem(503, "Service unavailable", detail)
    response.headers["Retry-After"] = RETRY_AFTER
    return response


def _without_keys(error: KeysUnavailable) -> Response:
    response = problem(503, "Service unavailable", f"{error} Please try again.")
    response.headers["Retry-After"] = RETRY_AFTER
    return response


def _http(error: HTTPException) -> Response:
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    response = problem(status, error.name, error.description or error.name)
    for name, value in error.get_headers():
        if name != "Content-Type":
            response.headers[name] = value
    return response


def _unexpected(error: Exception) -> Response:
    log.error("request failed", endpoint=request.endpoint, exc_info=error)
    return problem(500, "Internal server error", "The error was logged.")
