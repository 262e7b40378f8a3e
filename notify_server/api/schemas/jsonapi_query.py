"""The queries of the JSON:API inbox: which page, which order, which of them, which fields, what to include."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from notify_server.api import strict_json
from notify_server.api.schemas.paging import MAX_LIMIT
from notify_server.errors import Refused
from notify_server.services.inbox import View
from notify_server.services.inbox_pages import REACH, Order

_VIEWS = {"true": View.READ, "false": View.UNREAD}
_SORTS = {"received-at": {"newest_first": False}, "-received-at": {"newest_first": True}}
_SORTS_FIRST = {"is-read": {"read_first": False}, "-is-read": {"read_first": True}}
_NO_PARAMETER = {"unknown": "There is no such parameter here."}


class Names(fields.String):
    """Names from `known`, separated by commas."""

    def __init__(self, known: tuple[str, ...], **kwargs: Any) -> None:
        one = f"({'|'.join(known)})"
        super().__init__(metadata={"pattern": f"^({one}(,{one})*)?$"}, **kwargs)
        self._known = known

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        names = str(value).split(",") if value else []
        if unknown := [name for name in names if name not in self._known]:
            raise ValidationError(f"Unknown: {', '.join(unknown)[:200]}. There are: {', '.join(self._known)}.")
        return frozenset(names)


class Sort(fields.String):
    """By `received-at`, by `is-read`, or by is-read and then received-at; a minus turns the order round."""

    def __init__(self, **kwargs: Any) -> None:
        both = [f"{first},{second}" for first in _SORTS_FIRST for second in _SORTS]
        super().__init__(metadata={"enum": [*_SORTS, *_SORTS_FIRST, *both]}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        *first, last = str(value).split(",")
        known = _SORTS_FIRST | _SORTS if not first else _SORTS
        if last not in known or len(first) > 1 or not _SORTS_FIRST.keys() >= set(first):
            raise ValidationError("Sort by received-at, is-read, or is-read,received-at; each may have a minus.")
        chosen: dict[str, Any] = known[last] | (_SORTS_FIRST[first[0]] if first else {})
        return Order(**chosen)


class Filters(fields.String):
    """The filter of Open Event Server's clients: a JSON list of no or one condition on is-read."""

    def __init__(self, **kwargs: Any) -> None:
        examples = [f'[{{"name": "is-read", "op": "eq", "val": {value}}}]' for value in _VIEWS]
        super().__init__(metadata={"enum": ["[]", *examples]}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            conditions = strict_json.loads(str(value).encode())
        except Refused:
            raise ValidationError("Not JSON.") from None
        if conditions == []:
            return None
        for read in (True, False):
            named = [{"name": name, "op": op, "val": read} for name in ("is-read", "is_read") for op in ("eq", "==")]
            if conditions in [[condition] for condition in named] and conditions[0]["val"] is read:
                return View.READ if read else View.UNREAD
        raise ValidationError('Takes [{"name": "is-read", "op": "eq", "val": true}], or false.')


class UserFieldsSchema(Schema):
    """Which fields of users to show; all, where it is left out."""

    error_messages = _NO_PARAMETER

    users = Names(("community", "email", "locale", "timezone", "created-at"), data_key="fields[user]")

    @post_load
    def _complete(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return dict.fromkeys(self.fields) | data


class ResourceQuerySchema(UserFieldsSchema):
    """Which fields to show, and what to include."""

    notifications = Names(
        ("title", "message", "received-at", "accept", "is-read", "user"), data_key="fields[notification]"
    )
    include = Names(("user",))


class ListQuerySchema(ResourceQuerySchema):
    """Which page of which notifications, and in which order."""

    number = fields.Integer(data_key="page[number]", load_default=1, validate=validate.Range(1, REACH))
    size = fields.Integer(data_key="page[size]", load_default=20, validate=validate.Range(1, MAX_LIMIT))
    sort = Sort()
    is_read = fields.String(data_key="filter[is-read]", validate=validate.OneOf(list(_VIEWS)))
    filter = Filters()

    @validates_schema
    def _filters_once(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("is_read") is not None and data.get("filter") is not None:
            raise ValidationError("Not together with filter[is-read].", "filter")

    @post_load
    def _complete(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        view = data.pop("filter", None) or _VIEWS.get(data.pop("is_read", ""), View.ALL)
        chosen = {"view": view, "sort": data.pop("sort", Order())}
        return dict.fromkeys(("users", "notifications", "include")) | data | chosen
