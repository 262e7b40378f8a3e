"""The OpenAPI document: what flask-smorest finds in the routes, plus what our guards and errors add to each."""

from typing import Any

from flask import Flask
from flask_smorest import Api
from werkzeug.routing import Rule

from notify_server import __version__
from notify_server.api.guards import Guard, guard_of

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
_REFUSALS = {
    "400": "The body is not JSON",
    "401": "No token, or one that proves nothing",
    "403": "A token without the scope",
    "404": "There is no such thing",
    "409": "Contradicts what is there",
    "413": "The body is too large",
    "415": "The body is not declared as JSON",
    "422": "A field is not acceptable",
    "503": "The database is away",
}


def describe(app: Flask, api: Api) -> dict[str, Any]:
    """The finished document for every route that is registered with `api`."""
    document: dict[str, Any] = api.spec.to_dict()
    parts = document.setdefault("components", {})
    parts["securitySchemes"] = _SCHEMES
    parts["schemas"]["Problem"] = _PROBLEM
    del parts["schemas"]["Error"], parts["responses"]  # flask-smorest's own form of errors
    for rule in app.url_map.iter_rules():
        path = document["paths"].get(_template(rule))
        guard = guard_of(app, rule.endpoint)
        for method in rule.methods or ():
            if path and guard and method.lower() in path:
                _complete(path[method.lower()], guard, placed=bool(rule.arguments))
    return document


def _template(rule: Rule) -> str:
    return rule.rule.replace("<", "{").replace(">", "}")


def _complete(operation: dict[str, Any], guard: Guard, *, placed: bool) -> None:
    operation["security"] = [{guard.scheme: [guard.scope] if guard.scope else []}] if guard.scheme else []
    answers = operation["responses"]
    answers.pop("default", None)
    for status in _possible(operation, guard, placed=placed):
        schema = {"$ref": "#/components/schemas/Problem"}
        answers[status] = {
            "description": _REFUSALS[status],
            "content": {"application/problem+json": {"schema": schema}},
        }


def _possible(operation: dict[str, Any], guard: Guard, *, placed: bool) -> list[str]:
    """The refusals that a route of this shape can give; `placed`: its path names something."""
    possible = _REFUSALS.keys() & operation["responses"].keys()
    possible |= {"401", "503"} if guard.scheme else set()
    possible |= {"403"} if guard.scope else set()
    possible |= {"404", "422"} if placed else set()
    possible |= {"400", "413", "415", "422"} if "requestBody" in operation else set()
    possible |= {"422"} if operation.get("parameters") else set()
    return sorted(possible)
