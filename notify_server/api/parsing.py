"""Reading requests: strict JSON, no unknown fields, nothing that MongoDB, FCM or a log could trip over."""

import json
from typing import Any, NoReturn

from flask import Request, abort, request
from marshmallow import RAISE, Schema, ValidationError
from webargs.core import missing
from webargs.flaskparser import FlaskParser, is_json_request

from notify_server.errors import InvalidInput

MAX_DEPTH = 16  # levels of nesting


class Parser(FlaskParser):
    """webargs with our errors."""

    DEFAULT_UNKNOWN_BY_LOCATION = FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION | {"json": RAISE, "query": RAISE}

    def _raw_load_json(self, req: Request) -> Any:
        if not is_json_request(req):
            return missing
        payload = _strict(req.get_data(cache=True))
        faults: dict[str, list[str]] = {}
        _inspect(payload, "", 0, faults)
        if faults:
            raise InvalidInput(faults)
        return payload

    def handle_error(self, error: ValidationError, req: Request, schema: Schema, **_: Any) -> NoReturn:
        """Turn marshmallow's nested messages into field paths."""
        found: dict[str, list[str]] = {}
        for messages in error.normalized_messages().values():
            _flatten(messages, "", found)
        raise InvalidInput(found) from None


def require_json() -> None:
    """Refuse a body that is not declared as JSON."""
    if request.content_length and not is_json_request(request):
        abort(415, "Send application/json.")


def _strict(body: bytes) -> Any:
    try:
        return json.loads(body.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        abort(400, "The body is not JSON in UTF-8.")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _inspect(value: Any, path: str, depth: int, faults: dict[str, list[str]]) -> None:
    """Note every string and key that no field may hold, and nesting that none needs."""
    if depth > MAX_DEPTH:
        faults[path] = [f"Nested deeper than {MAX_DEPTH} levels."]
    elif isinstance(value, str):
        if not storable(value):
            faults[path or "body"] = ["Contains a NUL character or half of a surrogate pair."]
    elif isinstance(value, dict):
        for key, item in value.items():
            _inspect_key(key, path, faults)
            _inspect(item, _join(path, key), depth + 1, faults)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _inspect(item, _join(path, index), depth + 1, faults)


def _inspect_key(key: str, path: str, faults: dict[str, list[str]]) -> None:
    if not storable(key):
        faults[path or "body"] = ["A key contains a NUL character or half of a surrogate pair."]
    elif key.startswith("$"):
        faults[_join(path, key)] = ["Keys may not begin with $."]


def storable(text: str) -> bool:
    """Whether UTF-8 and BSON can hold `text`."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _flatten(messages: Any, path: str, found: dict[str, list[str]]) -> None:
    if isinstance(messages, dict):
        for key, inner in messages.items():
            _flatten(inner, path if key == "_schema" else _join(path, key), found)
    else:
        found.setdefault(path or "body", []).extend(map(str, messages))


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)
