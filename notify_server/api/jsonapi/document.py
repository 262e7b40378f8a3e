"""Documents of notifications and users (section "Document Structure")."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from flask import Response, request

from notify_server.api.jsonapi.errors import IMPLEMENTED, answer
from notify_server.api.schemas.jsonapi import (
    NOTIFICATION,
    USER,
    JsonApiAttributesSchema,
    JsonApiUserAttributesSchema,
)
from notify_server.domain.user import User
from notify_server.services.inbox import Item

Names = frozenset[str] | None  # the fields to show; None: all

_attributes = JsonApiAttributesSchema()
_user_attributes = JsonApiUserAttributesSchema()


@dataclass(frozen=True, slots=True)
class Shown:
    """What to show of each resource (section "Sparse Fieldsets")."""

    notifications: Names = None
    users: Names = None


def entry_id(item: Item) -> str:
    """The id of a resource: a notification is one for each of its users."""
    return f"{item.notification.id}:{item.user}"


def take_apart(resource_id: str) -> tuple[str, str | None]:
    """The notification's id and the user's, which may hold colons; None where the id names no user."""
    notification, colon, user = resource_id.partition(":")
    return notification, user if colon else None


def notification(item: Item, shown: Shown) -> dict[str, Any]:
    """The resource object of one user's notification."""
    attributes = _only(shown.notifications, _attributes.dump(item))
    relationships = _only(shown.notifications, {"user": linkage(item)})
    parts = {"attributes": attributes, "relationships": relationships}
    present = {name: part for name, part in parts.items() if part}
    return {"type": NOTIFICATION, "id": entry_id(item), **present, "links": {"self": _path(item)}}


def user(person: User, shown: Shown) -> dict[str, Any]:
    """The resource object of a user."""
    attributes = _only(shown.users, _user_attributes.dump(person))
    return {"type": USER, "id": person.id, **({"attributes": attributes} if attributes else {})}


def linkage(item: Item) -> dict[str, Any]:
    """The relationship between a notification and its user."""
    links = {"self": f"{_path(item)}/relationships/user", "related": f"{_path(item)}/user"}
    return {"links": links, "data": {"type": USER, "id": item.user}}


def respond(data: Any, links: dict[str, Any] | None = None, **members: Any) -> Response:
    """A document with this primary data; of `members`, those that are None are left out."""
    present = {name: value for name, value in members.items() if value is not None}
    return answer({"jsonapi": IMPLEMENTED, "links": links or {"self": _address()}, "data": data, **present})


def page_links(number: int, size: int, count: int) -> dict[str, str | None]:
    """The links of page `number` of a list of `count` (section "Pagination")."""
    last = max(1, -(-count // size))
    numbers: Sequence[tuple[str, int]] = [("first", 1), ("last", last), ("prev", number - 1), ("next", number + 1)]
    links = {name: _address(other) if 1 <= other <= last else None for name, other in numbers}
    return {"self": _address()} | links


def _only(names: Names, fields: dict[str, Any]) -> dict[str, Any]:
    return fields if names is None else {name: value for name, value in fields.items() if name in names}


def _path(item: Item) -> str:
    return f"/jsonapi/notifications/{quote(entry_id(item), safe=':')}"


def _address(number: int | None = None) -> str:
    """What was asked for; of page `number`, where one is given."""
    query = request.args.to_dict() | ({} if number is None else {"page[number]": str(number)})
    return quote(request.path, safe="/:") + (f"?{urlencode(query)}" if query else "")
