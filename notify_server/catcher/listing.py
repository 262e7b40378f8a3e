"""What was caught, over HTTP: GET /mails, GET /mails/{id}, GET /mails/{id}/source, DELETE /mails.

For programs of this machine alone: whoever names another host is a page of somebody else, by way of a browser.
"""

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

from notify_server.catcher.caught import Mails

_HERE = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?")
_ONE = re.compile(r"/mails/(\d{1,9})(/source)?")
_JSON = "application/json"

Send = Callable[[dict[str, Any]], Awaitable[None]]
Answer = tuple[int, str, bytes]


class Listing:
    """An ASGI application."""

    def __init__(self, mails: Mails) -> None:
        self._mails = mails

    async def __call__(self, scope: dict[str, Any], _: Any, send: Send) -> None:
        """Called by uvicorn."""
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        status, media_type, body = self._answer(scope["method"], scope["path"], headers)
        written = [(b"content-type", media_type.encode()), (b"x-content-type-options", b"nosniff")]
        await send({"type": "http.response.start", "status": status, "headers": written})
        await send({"type": "http.response.body", "body": body})

    def _answer(self, method: str, path: str, headers: dict[bytes, bytes]) -> Answer:
        if not _HERE.fullmatch(headers.get(b"host", b"").decode("latin-1")) or b"origin" in headers:
            return _json(403, {"error": "For programs of this machine alone."})
        if path == "/mails" and method == "GET":
            return _json(200, {"mails": [caught.summary() for caught in self._mails.newest()]})
        if path == "/mails" and method == "DELETE":
            self._mails.clear()
            return 204, _JSON, b""
        found = _ONE.fullmatch(path)
        caught = self._mails.find(int(found[1])) if found and method == "GET" else None
        if found is None or caught is None:
            return _json(404, {"error": "There is no such thing."})
        return (200, "text/plain", caught.content) if found[2] else _json(200, caught.whole())


def _json(status: int, value: Any) -> Answer:
    return status, _JSON, json.dumps(value).encode()
