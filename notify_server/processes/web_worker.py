"""gunicorn's threaded worker, with its rough edges off: how it refuses, how it stops."""

import json
import signal
from contextlib import suppress
from http import HTTPStatus
from socket import socket
from time import monotonic
from typing import Any

import structlog
from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import ThreadWorker

log = structlog.get_logger()

_REST = 64 * 1024 * 1024  # bytes of a refused body that are read and dropped
_REST_WITHIN = 10  # seconds
_ANSWER = (
    "HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
    "Content-Length: {length}\r\n\r\n{body}"
)


class Worker(ThreadWorker):  # type: ignore[misc] # gunicorn ships no types
    """One web process."""

    def init_signals(self) -> None:
        """Called by gunicorn. A terminal sends Ctrl-C to everyone; only the arbiter decides what it means."""
        super().init_signals()
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Called by gunicorn. Once it stops, what still connects is refused, instead of left waiting and cut off."""
        super().set_accept_enabled(enabled)
        if not enabled and not self.alive:
            for listener in self.sockets:
                listener.close()

    def handle_request(self, req: Any, conn: Any) -> bool:
        """Called by gunicorn. A client that is still sending reads no answer, so let it end, within bounds."""
        keepalive = super().handle_request(req, conn)
        ended = conn.parser.finish_body(deadline=monotonic() + _REST_WITHIN, max_bytes=_REST)
        return bool(keepalive and ended)

    def handle_error(self, req: Any, client: socket, addr: Any, exc: BaseException) -> None:
        """Called by gunicorn with what is not HTTP, and with what went wrong outside of the application.

        The answer is a problem document and no HTML. What came is not logged: it may hold a token.
        """
        if isinstance(exc, ParseException):
            log.info("request refused: not HTTP", problem=type(exc).__name__)
            answer = _answer(HTTPStatus.BAD_REQUEST, "This is not a well-formed HTTP request.")
        else:
            log.error("request failed", exc_info=exc)
            answer = _answer(HTTPStatus.INTERNAL_SERVER_ERROR, "The error was logged.")
        with suppress(OSError):  # the client is gone
            client.sendall(answer)


def _answer(status: HTTPStatus, detail: str) -> bytes:
    body = json.dumps({"type": "about:blank", "title": status.phrase, "status": status, "detail": detail})
    return _ANSWER.format(status=status, length=len(body), body=body).encode()
