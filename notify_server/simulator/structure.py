"""Whether a JSON value has the structure that a schema asks for, with every fault in Google's words."""

from collections.abc import Iterator
from typing import Any

import orjson

from notify_server.simulator.answers import Violation
from notify_server.simulator.schema import TARGETS, Kind, Record, Repeated, Scalar, StringMap, Struct, camel

_PREFIX = "Invalid JSON payload received."


def violations(value: Any, record: Record, path: str = "") -> Iterator[Violation]:
    """Everything about the object `value` at `path` that does not fit `record`: names, types, names given twice."""
    for name, item in value.items():
        kind = record.fields.get(name)
        place = f"{path}.{name}" if path else name
        if kind is None:
            yield _unknown(name, path)
        elif item is not None:
            yield from _value(item, kind, place, path)
        if "_" in name and camel(name) in value:
            yield Violation(path, f"{_PREFIX} Duplicate field '{camel(name)}' at '{path}'.")


def _unknown(name: str, path: str) -> Violation:
    where = f" at '{path}'" if path else ""
    return Violation(path, f'{_PREFIX} Unknown name "{name}"{where}: Cannot find field.')


def _value(item: Any, kind: Kind, place: str, path: str) -> Iterator[Violation]:
    if isinstance(kind, Scalar):
        yield from _scalar(item, kind, place)
    elif isinstance(kind, Repeated):
        for index, element in enumerate(item if isinstance(item, list) else [item]):
            yield from _scalar(element, kind.item, f"{place}[{index}]")
    elif isinstance(item, list):
        name = place.rpartition(".")[2]
        where = f" at '{path}'" if path else ""
        text = f'{_PREFIX} Unknown name "{name}"{where}: Proto field is not repeating, cannot start list.'
        yield Violation(path, text)
    elif not isinstance(item, dict):
        yield _invalid(place, _type_name(kind), item)
    elif isinstance(kind, Record):
        yield from violations(item, kind, place)
    elif isinstance(kind, StringMap):
        yield from _string_map(item, place)


def _scalar(item: Any, kind: Scalar, place: str) -> Iterator[Violation]:
    wanted = kind.check(item)
    if wanted is not None:
        yield _invalid(place, wanted, item)


def _string_map(item: dict[str, Any], place: str) -> Iterator[Violation]:
    for index, content in enumerate(item.values()):
        if not isinstance(content, str):
            yield _invalid(f"{place}[{index}].value", "TYPE_STRING", content)


def _invalid(place: str, wanted: str, item: Any) -> Violation:
    return Violation(place, f"Invalid value at '{place}' ({wanted}), {orjson.dumps(item).decode()}")


def _type_name(kind: Kind) -> str:
    if isinstance(kind, Record):
        return f"type.googleapis.com/{kind.name}"
    return "type.googleapis.com/google.protobuf.Struct" if isinstance(kind, Struct) else "Map"


def second_target(message: dict[str, Any]) -> Iterator[Violation]:
    """A fault for each target after the first: `target` is a union field."""
    given = [name for name in message if name in TARGETS and message[name] is not None]
    for name in given[1:]:
        text = f"Invalid value at 'message' (oneof), oneof field 'target' is already set. Cannot set '{name}'"
        yield Violation("message", text)
