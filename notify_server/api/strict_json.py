"""Strict JSON (RFC 8259): no repeated names, and nothing that MongoDB, FCM or a log could trip over."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from notify_server.errors import InvalidInput, Refused

MAX_DEPTH = 16  # levels of nesting
MAX_MEMBERS = 1_000  # of one object: FCM takes no 1,000 data entries, and no other object of ours is open
MAX_ITEMS = 100_000  # of one array: the longest list that any route takes

_LARGEST = 2**63  # what MongoDB stores as a whole number

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_TEXT = "Contains a NUL character or half of a surrogate pair."

Path = tuple[object, ...]


class _Repeating(dict[str, Any]):
    """An object in which a name stands twice."""

    repeated: str


def loads(body: bytes) -> Any:
    """The value that `body` holds.

    Raises Refused (400) where it is not JSON in UTF-8, and InvalidInput naming everything in it that is refused.
    """
    try:
        text = body.decode()
        value = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        raise Refused("The body is not JSON in UTF-8.") from None
    if not ("\\u" in text or '"$' in text) and _is_sound(value, 0):
        return value
    faults: dict[str, list[str]] = {}
    for path, fault in _faults(value, ()):
        faults.setdefault(dotted(path), []).append(fault)
    if faults:
        raise InvalidInput(faults)
    return value


def dotted(path: Path) -> str:
    """A field path as errors show it, such as `message.data.key` or `users.3`; the whole is called `body`."""
    return ".".join(map(str, path)) or "body"


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    repeating = _Repeating(members)
    repeating.repeated = Counter(name for name, _ in pairs).most_common(1)[0][0]
    return repeating


def _is_sound(value: Any, depth: int) -> bool:
    """Whether nothing in `value` is refused, its texts and names apart.

    Those need no look where the body had no escape and no name with a $: JSON has no other way to write what is refused
    of them. Measured at a third of the time that `_faults` takes, which says what is wrong and where.
    """
    if isinstance(value, dict):
        if isinstance(value, _Repeating) or len(value) > MAX_MEMBERS or depth >= MAX_DEPTH:
            return False
        items: Iterable[Any] = value.values()
    elif isinstance(value, list):
        if len(value) > MAX_ITEMS or depth >= MAX_DEPTH:
            return False
        items = value
    else:
        return not isinstance(value, int | float) or -_LARGEST <= value < _LARGEST
    return all(isinstance(item, str) or _is_sound(item, depth + 1) for item in items)


def _faults(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        if _UNSTORABLE.search(value):
            yield path, _TEXT
    elif isinstance(value, int | float):
        if not -_LARGEST <= value < _LARGEST:  # 1e400 is infinite
            yield path, "Is out of range."
    elif isinstance(value, dict | list):
        most = MAX_MEMBERS if isinstance(value, dict) else MAX_ITEMS
        if len(path) >= MAX_DEPTH:
            yield path, f"Nested deeper than {MAX_DEPTH} levels."
        elif len(value) > most:
            yield path, f"Has more than {most} members."
        else:
            yield from _faults_within(value, path)


def _faults_within(value: dict[str, Any] | list[Any], path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, list):
        items: Iterator[tuple[object, Any]] = enumerate(value)
    else:
        items = iter(value.items())
        yield from _faults_of_names(value, path)
    for name, item in items:
        if isinstance(item, str | dict | list | int | float):
            yield from _faults(item, (*path, name))


def _faults_of_names(value: dict[str, Any], path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, _Repeating):
        yield (*path, value.repeated), "Given more than once."
    for name in value:
        if _UNSTORABLE.search(name):
            yield path, f"A name: {_TEXT}"
        elif name.startswith("$"):
            yield (*path, name), "Names may not begin with $."
