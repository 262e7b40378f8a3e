"""Records as NDJSON, for answers of any length: a JSON object on each line, in pieces."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

PIECE = 64 * 1024  # bytes of lines that are handed on together: one by one they would cost a thread more than they hold
_written = json.JSONEncoder(ensure_ascii=False).encode


def pieces(records: Iterable[Any]) -> Iterator[bytes]:
    """The lines of `records`, whole ones together, in UTF-8; a piece ends with the line that makes it PIECE long."""
    piece = bytearray()
    for record in records:
        piece += f"{_written(record)}\n".encode()
        if len(piece) >= PIECE:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)
