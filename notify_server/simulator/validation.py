"""Reading the body of messages:send: its target, the rest of the message, and what is wrong with it."""

from dataclasses import dataclass
from typing import Any

import orjson

from notify_server.simulator import limits, structure
from notify_server.simulator.answers import Answer, Violation, invalid, malformed
from notify_server.simulator.schema import MESSAGE, REQUEST, TARGETS

CACHED = 4096  # messages: far more than are in flight at once, and a bound on memory
_NOT_JSON = Violation("", "Invalid JSON payload received. Unexpected token.")
_NO_TARGET = Violation("message", "Recipient of the message is not set.")


@dataclass(frozen=True, slots=True)
class Content:
    """A message without its target, as compact JSON, and what was found out about it once."""

    raw: bytes
    size: int
    notification_id: str | None
    refusal: Answer | None


@dataclass(frozen=True, slots=True)
class Request:
    """One request as read. Where it has no single target, `target` and `target_type` are empty."""

    target_type: str
    target: str
    content: Content
    validate_only: bool = False
    refusal: Answer | None = None


class Reader:
    """Reads bodies. A message that goes to many targets is checked once, as those bodies differ in the target only."""

    def __init__(self) -> None:
        self._cache: dict[bytes, Content] = {}

    def read(self, body: bytes) -> Request:
        """The request in `body`; `refusal` is FCM's 400 where the body deserves one."""
        try:
            return self._read(orjson.loads(body))
        except (orjson.JSONDecodeError, orjson.JSONEncodeError):  # the latter for what is nested too deep
            return _unreadable(b"null", [_NOT_JSON])

    def _read(self, request: Any) -> Request:
        if not isinstance(request, dict) or not isinstance(request.get("message"), dict):
            return _unreadable(orjson.dumps(request), _envelope(request))
        message = request["message"]
        given = [name for name in TARGETS if message.get(name) is not None]
        if len(given) != 1 or not isinstance(message[given[0]], str):
            return _unreadable(orjson.dumps(message), _target_faults(request))
        return self._addressed(request, given[0])

    def _addressed(self, request: dict[str, Any], target_type: str) -> Request:
        message = request["message"]
        target = message.pop(target_type)
        raw = orjson.dumps(message)
        content = self._cache.get(raw) or self._examine(raw, message)
        refusal = _envelope_refusal(request) if len(request) > 1 else None
        refusal = refusal or content.refusal or _refusal(content, target_type, target)
        validate_only = bool(limits.get(request, "validate_only", False))
        return Request(target_type, target, content, validate_only, refusal)

    def _examine(self, raw: bytes, message: dict[str, Any]) -> Content:
        refusal, size, notification_id = None, 0, None
        found = list(structure.violations(message, MESSAGE, "message"))
        if found:
            refusal = malformed(found)
        else:
            found = list(limits.violations(message))
            refusal = invalid(found) if found else None
            size = limits.payload_size(message)
            notification_id = limits.get(message, "data", {}).get("notification_id")
        if len(self._cache) >= CACHED:
            self._cache.clear()
        content = self._cache[raw] = Content(raw, size, notification_id, refusal)
        return content


def _refusal(content: Content, target_type: str, target: str) -> Answer | None:
    found = [*limits.bad_target(target_type, target), *limits.too_big(content.size, target_type)]
    return invalid(found) if found else None


def _envelope(request: Any) -> list[Violation]:
    if not isinstance(request, dict):
        return [Violation("", 'Invalid JSON payload received. Unknown name "": Root element must be a message.')]
    return list(structure.violations(request, REQUEST)) or [_NO_TARGET]


def _envelope_refusal(request: dict[str, Any]) -> Answer | None:
    found = list(structure.violations({**request, "message": {}}, REQUEST))
    return malformed(found) if found else None


def _target_faults(request: dict[str, Any]) -> list[Violation]:
    faults = list(structure.violations(request, REQUEST))
    return [*faults, *structure.second_target(request["message"])] or [_NO_TARGET]


def _unreadable(raw: bytes, found: list[Violation]) -> Request:
    refusal = invalid(found) if found == [_NO_TARGET] else malformed(found)
    return Request("", "", Content(raw, 0, None, refusal), refusal=refusal)
