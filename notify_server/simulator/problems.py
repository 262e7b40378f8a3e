"""Validation messages, by the path of their field."""

from typing import Any


def flatten(messages: Any, path: str = "") -> dict[str, list[str]]:
    """Turn marshmallow's nested messages into {"a.b.0": [messages]}; what concerns no field gets the path ""."""
    if not isinstance(messages, dict):
        return {path: [str(message) for message in messages]}
    found: dict[str, list[str]] = {}
    for key, nested in messages.items():
        found |= flatten(nested, f"{path}.{key}" if path else str(key))
    return found
