"""What clients may send, read before Socket.IO's server sees it: that one would call its handlers by any name."""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

LARGEST = 16 * 1024  # bytes: a connect with the longest token; receipts are far smaller
RECEIPT = "receipt"
_PACKET = re.compile(r"4([0-3])(?:(/[^,]{0,200}),)?([0-9]{0,15})(.*)", re.DOTALL)
_DEEPEST = 32  # brackets within one another


class Kind(StrEnum):
    """What a frame is for."""

    TRANSPORT = "transport"  # Engine.IO's own: a pong, a close
    CONNECT = "connect"
    DISCONNECT = "disconnect"
    RECEIPT = "receipt"
    OTHER = "other"  # an event that nobody listens to, or an acknowledgement that nobody asked for
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: `ack` is the number by which its acknowledgement is awaited, where it is."""

    kind: Kind
    namespace: str = "/"
    ack: int | None = None


_MALFORMED = Frame(Kind.MALFORMED)
_TRANSPORT = Frame(Kind.TRANSPORT)


def read(text: str | None) -> Frame:
    """What `text` is (Engine.IO 4, Socket.IO 5); None stands for a binary frame, which nobody needs to send."""
    if text in {"1", "3"}:
        return _TRANSPORT
    found = _PACKET.fullmatch(text or "")
    if found is None:
        return _MALFORMED
    packet, namespace, ack, payload = found.groups()
    try:
        content = _parsed(payload)
    except (ValueError, RecursionError):
        return _MALFORMED
    return Frame(_kind(packet, content), namespace or "/", int(ack) if ack else None)


def _parsed(payload: str) -> Any:
    if payload.count("[") + payload.count("{") > _DEEPEST:
        raise ValueError("nested too deeply")
    return json.loads(payload) if payload else None


def _kind(packet: str, content: Any) -> Kind:
    if packet == "0":
        return Kind.CONNECT
    if packet == "1":
        return Kind.DISCONNECT if content is None else Kind.MALFORMED
    if not isinstance(content, list) or (packet == "2" and not (content and isinstance(content[0], str))):
        return Kind.MALFORMED
    return Kind.RECEIPT if packet == "2" and content[0] == RECEIPT else Kind.OTHER
