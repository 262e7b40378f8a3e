"""Places in a stream of the registry, as opaque cursors."""

import re
from datetime import UTC, datetime, timedelta

from notify_server.api import paging
from notify_server.errors import InvalidInput
from notify_server.services.registry_export import Place

_PLACE = re.compile("([0-9a-f]{24}):([0-9]{1,14}):(.+)", re.DOTALL)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = 4_102_444_800_000  # milliseconds of the year 2100


def encode(place: Place) -> str:
    """The cursor of a place."""
    return paging.encode(f"{place.notification}:{(place.end - _EPOCH) // timedelta(milliseconds=1)}:{place.user}")


def decode(cursor: str | None) -> Place | None:
    """The place that `cursor` names. Raises InvalidInput."""
    found = paging.decode(cursor)
    if found is None:
        return None
    parts = _PLACE.fullmatch(found)
    if parts is None or int(parts[2]) > _LAST:
        raise InvalidInput({"cursor": ["Not a cursor of ours."]})
    return Place(parts[1], parts[3], _EPOCH + timedelta(milliseconds=int(parts[2])))
