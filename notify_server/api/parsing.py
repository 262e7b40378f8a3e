"""Reading requests: strict JSON, no unknown fields, ids that can be ids."""

from typing import Any, NoReturn

from flask import Request, abort, g, request
from marshmallow import RAISE, Schema, ValidationError
from webargs.flaskparser import FlaskParser, is_json_request

from notify_server.api import strict_json
from notify_server.api.schemas.fields import Id, Name
from notify_server.errors import InvalidInput

_FORM = "unsubscribe.click"  # RFC 8058 has mail programs send one, whose content nobody reads
_id, _name = Id(), Name()
_PATH_NAMES = dict.fromkeys(("user_id", "group_id", "community_id", "category_id", "device_id"), _id) | dict.fromkeys(
    ("template_name", "action_name"), _name
)  # a notification id that is none names nothing: 404


class Parser(FlaskParser):
    """webargs with our errors."""

    DEFAULT_UNKNOWN_BY_LOCATION = FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION | {"json": RAISE, "query": RAISE}

    def load_json(self, req: Request, schema: Schema) -> Any:
        """Read the body; only a schema without fields, or one that says so, lets it be left out."""
        body = req.get_data()
        if len(body) == req.max_content_length:  # a body of unknown length is cut there without a word
            abort(413)
        needed = schema.fields and not getattr(schema, "may_be_left_out", False)
        found = strict_json.loads(body) if body or needed else {}
        g.fields = sorted(found) if isinstance(found, dict) else ()  # for the audit log
        return found

    def handle_error(self, error: ValidationError, req: Request, schema: Schema, **_: Any) -> NoReturn:
        """Turn marshmallow's nested messages into field paths."""
        located = error.normalized_messages().values()
        raise InvalidInput({path: found for part in located for path, found in by_path(part).items()}) from None


def by_path(messages: Any) -> dict[str, list[str]]:
    """marshmallow's nested messages by field path."""
    found: dict[str, list[str]] = {}
    _flatten(messages, (), found)
    return found


def require_json() -> None:
    """Refuse a body that is not declared as JSON."""
    if request.endpoint == _FORM:
        return
    sent = request.content_length or "Transfer-Encoding" in request.headers
    if sent and not is_json_request(request):
        abort(415, "Send application/json.")


def require_ids() -> None:
    """Refuse ids in the path that no id can be; the others are normalised, as they are in bodies."""
    found = request.view_args or {}
    for name in _PATH_NAMES.keys() & found:
        try:
            found[name] = _PATH_NAMES[name].deserialize(found[name])
        except ValidationError as error:
            raise InvalidInput({name: error.normalized_messages()["_schema"]}) from None


def _flatten(messages: Any, path: strict_json.Path, found: dict[str, list[str]]) -> None:
    if isinstance(messages, dict):
        for key, inner in messages.items():
            _flatten(inner, path if key == "_schema" else (*path, key), found)
    else:
        found.setdefault(strict_json.dotted(path), []).extend(map(str, messages))
