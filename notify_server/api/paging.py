"""Pages: an opaque cursor that names the last item seen, so that new items shift nothing."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import TypeVar

from notify_server.errors import InvalidInput

Item = TypeVar("Item")


def encode(last: str) -> str:
    """The cursor after the item `last`."""
    return urlsafe_b64encode(last.encode()).decode().rstrip("=")


def decode(cursor: str | None) -> str | None:
    """The item that `cursor` stands after. Raises InvalidInput."""
    if cursor is None:
        return None
    try:
        return urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        raise InvalidInput({"cursor": ["Not a cursor of ours."]}) from None


def page(items: Sequence[Item], limit: int, name: Callable[[Item], str]) -> tuple[Sequence[Item], str | None]:
    """The first `limit` of `items`, of which one more was asked for, and the cursor to the next page."""
    shown = items[:limit]
    return shown, encode(name(shown[-1])) if len(items) > limit else None
