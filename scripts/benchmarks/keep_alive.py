"""A client of one keep-alive connection, cheaper than httpx: the load should not take what it is to measure."""

import json
import time
from collections.abc import Container
from http.client import HTTPConnection
from types import TracebackType
from typing import Any, Self

_TIMEOUT = 60.0  # seconds
_WELL = range(200, 300)
_KEPT = 20.0  # seconds of silence, after which the server may close the connection


class KeepAlive:
    """Speaks JSON with one server. For one thread."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
        self._used_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._connection.close()

    def call(self, method: str, path: str, token: str, body: Any = None, well: Container[int] = _WELL) -> Any:
        """What the server answers. Raises RuntimeError at an answer whose status is not one of `well`."""
        if time.monotonic() - self._used_at > _KEPT:
            self._connection.close()
        self._used_at = time.monotonic()
        headers = {"Authorization": f"Bearer {token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        self._connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status not in well:
            raise RuntimeError(f"{method} {path}: {answer.status} {content.decode()[:500]}")
        return json.loads(content) if content else None
