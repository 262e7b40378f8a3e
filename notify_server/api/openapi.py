"""The OpenAPI document: what flask-smorest finds in the routes, plus what our guards and errors add to each."""

from typing import Any

from flask import Flask
from flask_smorest import Api
from werkzeug.routing import Rule

from notify_server import __version__
from notify_server.api.guards import Guard, guard_of
from notify_server.api.jsonapi.errors import MEDIA_TYPE

SETTINGS = {
    "API_TITLE": "Notify Server",
    "API_VERSION": __version__,
    "OPENAPI_VERSION": "3.1.0",
    "API_SPEC_OPTIONS": {"info": {"description": "Push notifications, with one registry entry per recipient."}},
}

_SCHEMES = {
    "serverToken": {"type": "http", "scheme": "bearer", "description": "`notify-server token create`"},
    "userToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "POST /v1/users/{id}/tokens",
    },
}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
            "description": "What is wrong with each field, by its path",
        },
    },
}
_JSONAPI_ERRORS = {
    "type": "object",
    "required": ["jsonapi", "errors"],
    "additionalProperties": False,
    "properties": {
        "jsonapi": {
            "type": "object",
            "required": ["version"],
            "properties": {"version": {"type": "string", "enum": ["1.1"]}},
        },
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["status", "code", "title", "detail"],
                "additionalProperties": False,
                "properties": {
                    **{name: {"type": "string"} for name in ("status", "code", "title", "detail")},
                    "source": {
                        "type": "object",
                        "additionalProperties": False,
                        "minProperties": 1,
                        "maxProperties": 1,
                        "properties": {"pointer": {"type": "string"}, "parameter": {"type": "string"}},
                    },
                },
            },
        },
    },
}
_REFUSALS = {
    "400": "The body is not JSON",
    "401": "No token, or one that proves nothing",
    "403": "A token without the scope",
    "404": "There is no such thing",
    "406": "The Accept header leaves out the JSON:API media type as it is",
    "409": "Contradicts what is there",
    "413": "The body is too large",
    "415": "The body is not declared as JSON",
    "422": "A field is not acceptable",
    "429": "Too many requests of this token, user or address",
    "503": "The database is away",
}
_HEADERS = {
    "RateLimit-Policy": (
        "Calls that may come at once (q), and seconds in which as many more may (w), of the process that answers",
        '"user";q=30;w=3',
    ),
    "RateLimit": ("Calls left (r), and seconds until none is used up (t)", '"user";r=29;t=1'),
    "Retry-After": ("Seconds to wait", "1"),
}


def describe(app: Flask, api: Api) -> dict[str, Any]:
    """The finished document for every route that is registered with `api`."""
    document: dict[str, Any] = api.spec.to_dict()
    parts = document.setdefault("components", {})
    parts["securitySchemes"] = _SCHEMES
    parts["schemas"] |= {"Problem": _PROBLEM, "JsonApiErrors": _JSONAPI_ERRORS}
    parts["headers"] = {
        name: {"description": description, "schema": {"type": "string"}, "example": example}
        for name, (description, example) in _HEADERS.items()
    }
    del parts["schemas"]["Error"], parts["responses"]  # flask-smorest's own form of errors
    for rule in app.url_map.iter_rules():
        path = document["paths"].get(_template(rule))
        guard = guard_of(app, rule.endpoint)
        for method in rule.methods or ():
            if path and guard and method.lower() in path:
                _complete(path[method.lower()], guard, placed=bool(rule.arguments))
                if rule.rule.startswith("/jsonapi/"):
                    _refuse_by_documents(path[method.lower()])
                if guard.scheme:
                    _add_headers(path[method.lower()]["responses"])
    return document


def _template(rule: Rule) -> str:
    return rule.rule.replace("<", "{").replace(">", "}")


def _complete(operation: dict[str, Any], guard: Guard, *, placed: bool) -> None:
    operation["security"] = guard.security
    answers = operation["responses"]
    answers.pop("default", None)
    for status in _possible(operation, guard, placed=placed):
        schema = {"$ref": "#/components/schemas/Problem"}
        answers[status] = {
            "description": _REFUSALS[status],
            "content": {"application/problem+json": {"schema": schema}},
        }


def _add_headers(answers: dict[str, Any]) -> None:
    """Say how a caller stands on every answer, and on a 429 how long to wait."""
    for status, answer in answers.items():
        named = [name for name in sorted(_HEADERS) if name != "Retry-After" or status in {"429", "503"}]
        shown = {name: {"$ref": f"#/components/headers/{name}"} for name in named}
        answer["headers"] = answer.get("headers", {}) | shown


def _refuse_by_documents(operation: dict[str, Any]) -> None:
    """JSON:API has a form of errors of its own, and refuses bad queries with 400, and headers on every route."""
    answers = operation["responses"]
    for status in sorted({"400", "406", "415"} | _REFUSALS.keys() & answers.keys()):
        schema = {"$ref": "#/components/schemas/JsonApiErrors"}
        answers[status] = {"description": _REFUSALS[status], "content": {MEDIA_TYPE: {"schema": schema}}}
    answers["400"]["description"] = "A query parameter is not acceptable, or the body is not JSON"
    answers["415"]["description"] = "The Content-Type is not the JSON:API media type as it is"


def _possible(operation: dict[str, Any], guard: Guard, *, placed: bool) -> list[str]:
    """The refusals that a route of this shape can give; `placed`: its path names something."""
    possible = _REFUSALS.keys() & operation["responses"].keys()
    possible |= {"401", "429", "503"} if guard.scheme else set()
    possible |= {"403"} if guard.scope else set()
    possible |= {"404", "422"} if placed else set()
    possible |= {"400", "413", "415", "422"} if "requestBody" in operation else set()
    possible |= {"422"} if operation.get("parameters") else set()
    return sorted(possible)
