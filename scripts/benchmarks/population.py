"""Users with devices, written straight into the database: making them is not what is measured."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import cycle, islice

from pymongo import WriteConcern

from notify_server.storage.documents import Document, Store

_CHUNK = 5000  # documents an insert


def fill_group(
    database: Store,
    group: str,
    size: int,
    locales: Sequence[str | None] = (None,),
    spoken: Sequence[str | None] = (None,),
) -> None:
    """Make a group of `size` users with one device each; their ids and targets begin with the group's name.

    The locales of their profiles are `locales`, those of their devices `spoken`, in turns.
    """
    now = datetime.now(UTC)
    users, devices = (database.get_collection(name, write_concern=WriteConcern(w=1)) for name in ("users", "devices"))
    for start in range(0, size, _CHUNK):
        named = [f"{group}-{number:08d}" for number in range(start, min(start + _CHUNK, size))]
        theirs, devices_own = _from(locales, start), _from(spoken, start)
        users.insert_many([_user(user, group, now) | {"locale": next(theirs)} for user in named], ordered=False)
        devices.insert_many([_device(user, now) | {"locale": next(devices_own)} for user in named], ordered=False)


def _from(locales: Sequence[str | None], start: int) -> Iterator[str | None]:
    return islice(cycle(locales), start % len(locales), None)


def _user(user: str, group: str, now: datetime) -> Document:
    empty = {"community": None, "email": None, "locale": None, "timezone": None}
    return {"_id": user, "groups": [group], "muted": {"groups": [], "categories": []}, "created_at": now, **empty}


def _device(user: str, now: datetime) -> Document:
    return {
        "_id": {"u": user, "d": "phone"},
        "target": f"token:{user:x<150}",
        "platform": "android",
        "active": True,
        "reason": None,
        "registered_at": now,
        "confirmed_at": now,
        "app_version": None,
        "locale": None,
    }
