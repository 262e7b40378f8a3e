"""gunicorn's threaded worker, with its rough edges off: how it waits for clients, how it refuses, how it stops.

A thread gets a request when all of it is there, and never waits for a client. Until then, and while an answer is
taken, a connection costs memory alone, and each stage of it has a deadline. An answer of any length is made in turns.
"""

import json
import signal
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from selectors import EVENT_READ, EVENT_WRITE
from socket import socket
from time import monotonic
from typing import Any

import structlog
from gunicorn.http import wsgi
from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker

from notify_server.processes.answer import TURN, Answer
from notify_server.processes.framing import Progress
from notify_server.processes.line import Line, Stage, Wire

log = structlog.get_logger()

_PIECE = 64 * 1024  # bytes read at once, and of a request or an answer that are held without being counted
_MAX_HELD = 64 * 1024 * 1024  # bytes of larger requests that are not whole yet, together; and of larger answers
_MAX_DROPPED = 64 * 1024 * 1024  # bytes of a refused body that are read and dropped
_DROP_WITHIN = 10.0  # seconds
_TAKING = {Stage.STREAM, Stage.FLUSH}  # an answer is there for the client
_SWEEP = 0.25  # seconds between two looks for connections that are too slow
_ANSWER = (
    "HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
    "{more}Content-Length: {length}\r\n\r\n{body}"
)


@dataclass(frozen=True, slots=True)
class Patience:
    """What clients may ask of a web process: seconds for a head and for a body, and bytes of a body."""

    head: float
    body: float
    max_body: int


class Worker(ThreadWorker):  # type: ignore[misc] # gunicorn ships no types
    """One web process."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._patience: Patience = self.app.patience
        self._waiting: set[Line] = set()
        self._swept = 0.0

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

    def accept(self, listener: socket) -> None:
        """Called by gunicorn. With the last connection that is allowed, the one that waits longest is let go."""
        try:
            sock, client = listener.accept()
        except BlockingIOError:
            return
        except OSError as error:  # no more file descriptors, or the client is gone
            log.warning("connection not accepted", problem=error.strerror)
            self._let_go_of_the_oldest()
            return
        self.nr_conns += 1
        line = Line(self.cfg, sock, client, listener.getsockname(), self._patience.max_body)
        self._wait(line, Stage.HEAD, self._patience.head)
        if self.nr_conns >= self.worker_connections:
            self._let_go_of_the_oldest()

    def handle(self, conn: Line) -> bool:
        """Called by gunicorn in a thread, with a request that is whole, or when its answer may go on."""
        if conn.answer is None:
            return bool(super().handle(conn))
        with suppress(OSError):  # the client is gone
            return self._keepalive_after(conn, self._answer(conn, conn.answer))
        return False

    def handle_request(self, req: Any, conn: Line) -> bool:
        """Called by `handle`: begin the answer. Returns whether another request may follow, as far as is known."""
        response, environ = wsgi.create(req, conn.sock, conn.client, conn.server, self.cfg)
        environ["wsgi.multithread"] = True
        if not self.alive:
            response.force_close()
        conn.answer = Answer(response, self.wsgi(environ, response.start_response))
        return self._answer(conn, conn.answer)

    def finish_request(self, conn: Line, fs: Any) -> None:
        """Called by gunicorn when a thread has done what there was to do."""
        well = not fs.cancelled() and fs.exception() is None
        if not well:
            conn.end_answer()
        conn.keep = conn.keep and well and bool(fs.result())
        self._go_on(conn)

    def murder_keepalived(self, force: bool = False) -> None:
        """Called by gunicorn after each round of its loop: close what has waited for too long."""
        now = monotonic()
        if now - self._swept < _SWEEP and not force:
            return
        self._swept = now
        for line in [line for line in self._waiting if force or line.deadline <= now]:
            if line.stage is not Stage.IDLE and not force:
                log.info("connection closed: too slow", stage=line.stage.name.lower())
            self._close(line)

    def handle_error(self, req: Any, client: Wire, addr: Any, exc: BaseException) -> None:
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

    def _keepalive_after(self, conn: Line, keepalive: bool) -> bool:
        """Called by gunicorn. Nothing of the body is left on the socket."""
        return keepalive and not conn.parser.mesg.body.failed

    def _cap_keepalive(self, deadline: float) -> None:
        """Called by gunicorn when it stops."""
        for line in self._waiting:
            if line.stage is Stage.IDLE:
                line.deadline = min(line.deadline, deadline)

    def _answer(self, line: Line, answer: Answer) -> bool:
        """Let the answer go on for a turn, in a thread. Returns whether another request may follow."""
        finished = True
        try:
            finished = answer.go_on()
        except Exception as error:
            if isinstance(error, OSError) or not answer.has_begun:
                raise
            log.error("answer broken off", exc_info=error)
            return False
        finally:
            if finished:
                line.end_answer()
        return not finished or not answer.is_last

    def _wait(self, line: Line, stage: Stage, seconds: float) -> None:
        """Wait for the client."""
        line.enter(stage, seconds)
        self._watch(line, EVENT_WRITE if stage in _TAKING else EVENT_READ)
        if stage in _TAKING and line.sock.held > _PIECE:
            self._bound_answers()

    def _watch(self, line: Line, events: int) -> None:
        if line.watched == events:
            return
        if line.watched:
            self.poller.unregister(line.sock)
        line.watched = events
        if events:
            self.poller.register(line.sock, events, partial(self._meet, line))
            self._waiting.add(line)
        else:
            self._waiting.discard(line)

    def _meet(self, line: Line, _: Any) -> None:
        """The client has sent or taken something, or is gone."""
        if not line.watched:
            return  # closed in this round of the loop, for another one
        try:
            if line.stage in _TAKING:
                self._hand_out(line)
                return
            arrived = line.sock.recv(_PIECE)
        except OSError:
            arrived = b""
        if arrived == b"":
            self._close(line)
        elif arrived is not None and line.stage is Stage.DRAIN:
            line.dropped += len(arrived)
            if line.dropped > _MAX_DROPPED:
                self._close(line)
        elif arrived is not None:
            self._gather(line, arrived)

    def _hand_out(self, line: Line) -> None:
        """The client may have room for more. Raises OSError when it is gone."""
        if line.sock.flush() or (line.answer is not None and line.sock.held <= TURN):
            self._go_on(line)

    def _gather(self, line: Line, arrived: bytes) -> None:
        progress = line.gathering.add(arrived)
        if progress is Progress.WHOLE:
            line.hand_over()
            self._serve(line)
        elif progress is Progress.BODY_TOO_LARGE:
            self._refuse(
                line, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body may have {self._patience.max_body} bytes."
            )
        elif progress is Progress.HEAD_TOO_LARGE:
            self._refuse(line, HTTPStatus.BAD_REQUEST, "The head of the request is too large.")
        elif len(line.gathering.data) > _PIECE and self._held() > _MAX_HELD:
            self._refuse(line, HTTPStatus.SERVICE_UNAVAILABLE, "Too many large requests at once.", "Retry-After: 5\r\n")
        elif progress is Progress.BODY and line.stage is not Stage.BODY:
            self._begin_body(line)
        elif line.stage is Stage.IDLE:
            self._wait(line, Stage.HEAD, self._patience.head)

    def _serve(self, line: Line) -> None:
        """Give it to a thread, once one is free."""
        line.enter(Stage.SERVED, 0.0)
        self._watch(line, 0)
        self.enqueue_req(line)

    def _begin_body(self, line: Line) -> None:
        self._wait(line, Stage.BODY, self._patience.body)
        if line.gathering.awaits_continue:
            with suppress(OSError):
                line.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _held(self) -> int:
        sizes = (len(line.gathering.data) for line in self._waiting)
        return sum(size for size in sizes if size > _PIECE)

    def _bound_answers(self) -> None:
        """While more is held for clients than may be, let go of the one that waits longest."""
        slow = sorted((line for line in self._waiting if line.sock.held > _PIECE), key=lambda line: line.since)
        held = sum(line.sock.held for line in slow)
        for line in slow:
            if held <= _MAX_HELD:
                return
            held -= line.sock.held
            log.info("connection closed: too much is held for slow clients", held=line.sock.held)
            self._close(line)

    def _refuse(self, line: Line, status: HTTPStatus, detail: str, more: str = "") -> None:
        """Answer without a thread. A client that still sends reads no answer, so it may end, within bounds."""
        log.info("request refused: not taken in", status=status.value)
        line.keep = False
        with suppress(OSError):
            line.sock.sendall(_answer(status, detail, more))
        self._go_on(line, _DROP_WITHIN)

    def _go_on(self, line: Line, linger: float = STOP_KEEPALIVE_LINGER) -> None:
        """Have the answer made and taken, then go on with the next request, or let the client hang up."""
        if line.answer is not None and line.sock.held <= TURN:
            self._serve(line)
        elif line.answer is not None:
            self._wait(line, Stage.STREAM, self._patience.body)
        elif line.sock.held:
            self._wait(line, Stage.FLUSH, self._patience.body)
        elif line.keep:
            begun = bool(line.gathering.data)
            self._wait(line, Stage.HEAD if begun else Stage.IDLE, self._patience.head if begun else self.cfg.keepalive)
            if begun:
                self._gather(line, b"")
        else:
            with suppress(OSError):
                line.sock.shutdown()
            line.gathering.data.clear()
            self._wait(line, Stage.DRAIN, linger)

    def _let_go_of_the_oldest(self) -> None:
        if self._waiting:
            self._close(min(self._waiting, key=lambda line: line.since))

    def _close(self, line: Line) -> None:
        self._watch(line, 0)
        line.close()
        self.nr_conns -= 1


def _answer(status: HTTPStatus, detail: str, more: str = "") -> bytes:
    body = json.dumps({"type": "about:blank", "title": status.phrase, "status": status, "detail": detail})
    return _ANSWER.format(status=status, more=more, length=len(body), body=body).encode()
