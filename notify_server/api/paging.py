"""Pages: an opaque cursor that names the last item seen, so that new items shift nothing."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from notify_server.errors import InvalidInput

Item = TypeVar("Item")

_NOTIFICATION = re.compile("[0-9a-f]{24}")
_NUMBER = re.compile("[0-9]{1,9}")


def encode(last: str) -> str:
    """The cursor after the item `last`."""
    return urlsafe_b64encode(last.encode()).decode().rstrip("=")


def decode(cursor: str | None) -> str | None:
    """The item that `cursor` stands after. Raises InvalidInput."""
    if cursor is None:
        return None
    try:
        last = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        last = ""
    if encode(last) != cursor:  # the decoder skips what is not base64
        raise _foreign()
    return last


def decode_notification(cursor: str | None) -> str | None:
    """The notification that `cursor` stands after. Raises InvalidInput."""
    last = decode(cursor)
    if last is not None and not _NOTIFICATION.fullmatch(last):
        raise _foreign()
    return last


def decode_number(cursor: str | None) -> int | None:
    """The number that `cursor` stands after. Raises InvalidInput."""
    last = decode(cursor)
    if last is not None and not _NUMBER.fullmatch(last):
        raise _foreign()
    return None if last is None else int(last)


def page(items: Sequence[Item], limit: int, name: Callable[[Item], str]) -> tuple[Sequence[Item], str | None]:
    """The first `limit` of `items`, of which one more was asked for, and the cursor to the next page."""
    shown = items[:limit]
    return shown, encode(name(shown[-1])) if len(items) > limit else None


def listed(
    query: Mapping[str, Any], find: Callable[[str, int], Sequence[Item]], name: Callable[[Item], str]
) -> tuple[Sequence[Item], str | None]:
    """The page that `query` (PageSchema) asks for, and the cursor to the next one.

    `find` gives so many of those whose `name` comes after the given one. Raises InvalidInput.
    """
    limit, after = query["limit"], decode(query["cursor"])
    return page(find(after or "", limit + 1), limit, name)


def _foreign() -> InvalidInput:
    return InvalidInput({"cursor": ["Not a cursor of ours."]})
