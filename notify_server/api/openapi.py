"""The OpenAPI document: what flask-smorest finds in the routes, plus what our guards and errors add to each."""

from collections.abc import Iterator
from typing import Any

from flask import Flask
from flask_smorest import Api
from werkzeug.routing import Rule

from notify_server import __version__
from notify_server.api.examples import EXAMPLES, PROBLEMS, TEXTS
from notify_server.api.guards import Guard, guard_of
from notify_server.api.jsonapi.errors import MEDIA_TYPE
from notify_server.api.openapi_components import (
    HEADERS,
    JSONAPI_ERRORS,
    PROBLEM,
    REFUSALS,
    SCHEMES,
    headers_of,
    not_one_of,
    path_parameter,
)

SETTINGS = {
    "API_TITLE": "Notify Server",
    "API_VERSION": __version__,
    "OPENAPI_VERSION": "3.1.0",
    "API_SPEC_OPTIONS": {
        "info": {
            "description": "Push notifications, with one registry entry per recipient.",
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The server that this document came from"}],
    },
}
_PREFIX = "#/components/schemas/"

Node = dict[str, Any]


def describe(app: Flask, api: Api) -> Node:
    """The finished document for every route that is registered with `api`."""
    document: Node = api.spec.to_dict()
    parts = document.setdefault("components", {})
    for name in ("Error", "PaginationMetadata"):  # flask-smorest's own forms
        parts["schemas"].pop(name, None)
    del parts["responses"]
    _describe_schemas(document, api)
    parts["schemas"] |= {"Problem": PROBLEM, "JsonApiErrors": JSONAPI_ERRORS}
    parts |= {"securitySchemes": SCHEMES, "headers": HEADERS}
    for rule in app.url_map.iter_rules():
        if path := document["paths"].get(_template(rule)):
            _describe_path(app, path, rule)
    return document


def _template(rule: Rule) -> str:
    return rule.rule.replace("<", "{").replace(">", "}")


def _describe_path(app: Flask, path: Node, rule: Rule) -> None:
    if rule.arguments:
        path["parameters"] = [path_parameter(name) for name in sorted(rule.arguments)]
    guard = guard_of(app, rule.endpoint)
    for method in rule.methods or ():
        operation = path.get(method.lower())
        if operation and guard:
            operation["operationId"] = rule.endpoint.replace(".", "_")
            _complete(operation, guard, placed=bool(rule.arguments))
            if rule.rule.startswith("/jsonapi/"):
                _refuse_by_documents(operation)
            _exemplify(operation)


def _complete(operation: Node, guard: Guard, *, placed: bool) -> None:
    operation["security"] = guard.security
    answers = operation["responses"]
    answers.pop("default", None)
    for status in _possible(operation, guard, placed=placed):
        schema = {"$ref": f"{_PREFIX}Problem"}
        answers[status] = {
            "description": REFUSALS[status],
            "content": {"application/problem+json": {"schema": schema, "example": PROBLEMS[status]}},
        }
    if guard.scopes:
        answers["403"]["description"] += " " + " or ".join(f"`{scope}`" for scope in guard.scopes)
    if guard.scheme:
        for status, answer in answers.items():
            answer["headers"] = headers_of(status, answer.get("headers", {}))
    elif "503" in answers:
        answers["503"]["headers"] = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}
    operation["responses"] = dict(sorted(answers.items()))


def _refuse_by_documents(operation: Node) -> None:
    """JSON:API has a form of errors of its own, and refuses bad queries with 400, and headers on every route."""
    answers = operation["responses"]
    for status in sorted({"406", "415"} | REFUSALS.keys() & answers.keys()):
        problem = PROBLEMS[status]
        fault = {name: str(problem[name]) for name in ("status", "title", "detail")}
        example = {
            "jsonapi": {"version": "1.1"},
            "errors": [{"code": fault["title"].lower().replace(" ", "-")} | fault],
        }
        described = answers.setdefault(status, {"description": REFUSALS[status], "headers": headers_of(status, {})})
        media = {MEDIA_TYPE: {"schema": {"$ref": f"{_PREFIX}JsonApiErrors"}, "example": example}}
        described["content"] = (described["content"] if status == "400" else {}) | media
    answers["400"]["description"] = "A query parameter is not acceptable, or the body is not JSON, or this is not HTTP"
    answers["415"]["description"] = "The Content-Type is not the JSON:API media type as it is"
    operation["responses"] = dict(sorted(answers.items()))


def _possible(operation: Node, guard: Guard, *, placed: bool) -> list[str]:
    """The refusals that a route of this shape can give; `placed`: its path names something."""
    possible = REFUSALS.keys() & operation["responses"].keys() | {"400"}  # where the HTTP itself is broken
    possible |= {"401", "429", "503"} if guard.scheme else set()
    possible |= {"403"} if guard.scopes else set()
    possible |= {"404", "422"} if placed else set()
    possible |= {"413", "415", "422"} if "requestBody" in operation else set()
    possible |= {"422"} if operation.get("parameters") else set()
    return sorted(possible)


def _exemplify(operation: Node) -> None:
    """Give the request and each good answer an example."""
    answers = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    for part in (operation.get("requestBody", {}), *answers):
        for media_type, media in part.get("content", {}).items():
            name = media["schema"].get("$ref", "").removeprefix(_PREFIX)
            media["example"] = EXAMPLES[name] if name else TEXTS[media_type]


def _describe_schemas(document: Node, api: Api) -> None:
    """Say what each schema is, in what answers every field is there, and types and patterns as JSON Schema has them."""
    schemas = document["components"]["schemas"]
    for (schema, *_), name in api.ma_plugin.converter.refs.items():
        if name in schemas:
            schemas[name]["description"] = schema.__doc__
            if alternatives := getattr(schema, "one_of", ()):
                schemas[name]["not"] = not_one_of(alternatives)
    partial = {name: getattr(schema, "sometimes", ()) for (schema, *_), name in api.ma_plugin.converter.refs.items()}
    received = _reachable(schemas, [node["requestBody"] for node in _nodes(document["paths"]) if "requestBody" in node])
    for name, schema in schemas.items():
        if name not in received and not name.startswith("JsonApi"):  # sparse fieldsets leave fields out
            schema["required"] = [field for field in schema.get("properties", ()) if field not in partial.get(name, ())]
    for node in _nodes(document):
        _write_precisely(node)


def _reachable(schemas: Node, start: Any) -> set[str]:
    found = set[str]()
    waiting = [start]
    while waiting:
        named = {
            node["$ref"].removeprefix(_PREFIX) for node in _nodes(waiting.pop()) if isinstance(node.get("$ref"), str)
        }
        waiting += [schemas[name] for name in named - found]
        found |= named
    return found


def _nodes(value: Any) -> Iterator[Node]:
    """Every object within `value`."""
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _nodes(inner)


def _write_precisely(schema: Node) -> None:
    values = schema.get("enum")
    if isinstance(values, list) and "type" not in schema:
        schema["type"] = ["string", "null"] if None in values else "string"
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and pattern.endswith(r"\Z"):  # Python's end; and marshmallow begins at the start
        schema["pattern"] = f"^{pattern.removesuffix(chr(92) + 'Z')}$"
