"""What our guards, limits and errors look like in the OpenAPI document."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from notify_server.services.server_tokens import Scope

SCHEMES = {
    "serverToken": {
        "type": "http",
        "scheme": "bearer",
        "description": f"`notify-server token create`. Each route names the scope it needs, of {', '.join(Scope)}",
    },
    "userToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "POST /v1/users/{user_id}/tokens, or your own identity provider",
    },
}
_TEXT = {"type": "string"}
PROBLEM = {
    "type": "object",
    "description": "What went wrong (RFC 9457)",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "errors": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": _TEXT},
            "description": "What is wrong with each field, by its path",
        },
    },
    "additionalProperties": False,
}
JSONAPI_ERRORS = {
    "type": "object",
    "description": "What went wrong (JSON:API 1.1, section Error Objects)",
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
                    **dict.fromkeys(("status", "code", "title", "detail"), _TEXT),
                    "source": {
                        "type": "object",
                        "additionalProperties": False,
                        "minProperties": 1,
                        "maxProperties": 1,
                        "properties": {"pointer": _TEXT, "parameter": _TEXT},
                    },
                },
            },
        },
    },
}
REFUSALS = {
    "400": "The body is not JSON, or the request is no HTTP: its first line is longer than 8,190 bytes, for instance",
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
    "WWW-Authenticate": ("The scheme to authenticate by", "Bearer"),
    "Location": ("The path of what was made", "/v1/notifications/6b007bddabf10665a8c867db"),
}
HEADERS = {
    name: {"description": description, "schema": _TEXT, "example": example}
    for name, (description, example) in _HEADERS.items()
}
_PATHS = {
    "user_id": ("The backend's own id of a user", 128, "u1"),
    "group_id": ("The backend's own id of a group", 128, "class-101"),
    "community_id": ("The backend's own id of a community", 128, "school-1"),
    "category_id": ("The name of a category", 128, "booking"),
    "device_id": ("The app's own id of its installation", 128, "phone"),
    "token_id": ("The id of a server token", None, "1f0c93ab52de"),
    "mail_id": ("The id of a mail", None, "6b007bddabf10665a8c867db9f2c41d07be3a865"),
    "link": ("What a mail's own link ends with", None, "dGhpcyBpcyBub3QgYSBsaW5rIG9mIG91cnM"),
    "template_name": ("The name of a template", 64, "ticket_purchased"),
    "action_name": ("The name of an action", 64, "ticket_purchased"),
    "version": ("A version of a template, counted from 1", None, "2"),
    "notification_id": (
        "The id that a notification was accepted with; below /jsonapi with the user's: `{notification_id}:{user_id}`",
        None,
        "6b007bddabf10665a8c867db",
    ),
}


def path_parameter(name: str) -> dict[str, Any]:
    """The parameter of this name in a path. Raises KeyError where it is not described here."""
    description, longest, example = _PATHS[name]
    schema = _TEXT | {"minLength": 1} | ({"maxLength": longest} if longest else {})
    return {
        "in": "path",
        "name": name,
        "required": True,
        "description": description,
        "schema": schema,
        "example": example,
    }


def headers_of(status: str, named: dict[str, Any]) -> dict[str, Any]:
    """The headers of an answer to an authorised route: `named` by the route, and how its caller stands."""
    names = {"RateLimit", "RateLimit-Policy"} | named.keys()
    names |= {"401": {"WWW-Authenticate"}, "429": {"Retry-After"}, "503": {"Retry-After"}}.get(status, set())
    return {name: {"$ref": f"#/components/headers/{name}"} for name in sorted(names)}


def not_one_of(names: Sequence[str]) -> dict[str, Any]:
    """A JSON Schema of what has none of these fields, or two of them.

    What must not be, as with `oneOf` the cases would be types of their own to generated clients.
    """
    none = {"not": {"anyOf": [{"required": [name]} for name in names]}}
    return {"anyOf": [none, *({"required": list(pair)} for pair in combinations(names, 2))]}
