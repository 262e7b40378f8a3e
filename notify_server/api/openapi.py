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
    parts.setdefault("schemas", {})["Problem"] = _PROBLEM
    parts.pop("responses", None)
    for rule in app.url_map.iter_rules():
        path = document["paths"].get(_template(rule))
        guard = guard_of(app, rule.endpoint)
        for method in rule.methods or ():
            if path and guard and method.lower() in path:
                _complete(path[method.lower()], guard)
    return document


def _template(rule: Rule) -> str:
    return rule.rule.replace("<", "{").replace(">", "}")


def _complete(operation: dict[str, Any], guard: Guard) -> None:
    operation["security"] = [{guard.scheme: [guard.scope] if guard.scope else []}] if guard.scheme else []
    answers = operation["responses"]
    answers.pop("default", None)
    for status in _possible(operation, guard):
        schema = {"$ref": "#/components/schemas/Problem"}
        answers[status] = {
            "description": _REFUSALS[status],
            "content": {"application/problem+json": {"schema": schema}},
        }


def _possible(operation: dict[str, Any], guard: Guard) -> list[str]:
    """The refusals that a route of this shape can give."""
    possible = ["503"]
    possible += ["401"] if guard.scheme else []
    possible += ["403"] if guard.scope else []
    possible += ["404"] if guard.scheme else []
    possible += ["400", "413", "415", "422"] if "requestBody" in operation else []
    possible += ["422"] if operation.get("parameters") else []
    possible += ["409"] if "409" in answers_of(operation) else []
    return sorted(set(possible))


def answers_of(operation: dict[str, Any]) -> set[str]:
    """The statuses that the route itself documents."""
    return set(operation["responses"])
