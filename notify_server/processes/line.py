"""One connection of a web process. Nothing that is done with it waits for the client."""

import socket
from collections import deque
from contextlib import suppress
from enum import Enum, auto
from itertools import islice
from time import monotonic
from typing import Any

from gunicorn.http.parser import RequestParser
from gunicorn.workers.gthread import TConn

from notify_server.processes.answer import Answer
from notify_server.processes.framing import Gathering

_UNSENT = 128 * 1024  # bytes that the kernel holds and cannot send yet: more would hide from us how slow a client is
_PIECES = 64  # sent with one call of the kernel


class Wire:
    """A socket to which a thread writes without waiting: of what the client does not take yet, `held` bytes are kept.

    Pieces are kept as they came: however many there are, none is copied.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)
        self._sock = sock
        self._rest: deque[memoryview] = deque()
        self.held = 0

    def sendall(self, data: bytes) -> None:
        """Send what can be sent now, and keep the rest. Raises OSError when the client is gone."""
        if data:
            self._rest.append(memoryview(data))
            self.held += len(data)
        if len(self._rest) % _PIECES <= 1:  # one that did not take the last piece seldom takes this one
            self.flush()

    send = sendall

    def flush(self) -> bool:
        """Send more of the rest; True when nothing is left. Raises OSError when the client is gone."""
        with suppress(BlockingIOError):
            while self._rest:
                self._take_off(self._sock.sendmsg(list(islice(self._rest, _PIECES))))
        return not self._rest

    def _take_off(self, sent: int) -> None:
        self.held -= sent
        while sent:
            piece = self._rest.popleft()
            if sent < len(piece):
                self._rest.appendleft(piece[sent:])
            sent -= min(sent, len(piece))

    def recv(self, size: int) -> bytes | None:
        """What has arrived; empty at the end, None while nothing is there. Raises OSError."""
        try:
            return self._sock.recv(size)
        except BlockingIOError:
            return None

    def setblocking(self, _: bool) -> None:
        """Called by gunicorn, which would wait; this never does."""

    def shutdown(self) -> None:
        """Say that no more will be sent. Raises OSError."""
        self._sock.shutdown(socket.SHUT_WR)

    def fileno(self) -> int:
        """For the poller."""
        return self._sock.fileno()

    def close(self) -> None:
        """Let it go."""
        self._sock.close()


class Stage(Enum):
    """What a connection waits for."""

    IDLE = auto()  # the next request
    HEAD = auto()
    BODY = auto()
    SERVED = auto()  # a thread has it
    STREAM = auto()  # the client, to take what there is of the answer, before more of it is made
    FLUSH = auto()  # the client, to take the answer
    DRAIN = auto()  # the client, to hang up: what it still sends is dropped


class Line(TConn):  # type: ignore[misc] # gunicorn ships no types
    """A connection, the request that arrives on it, and for how long it may stay as it is."""

    def __init__(self, cfg: Any, sock: socket.socket, client: Any, server: Any, max_body: int) -> None:
        super().__init__(cfg, Wire(sock), client, server)
        self.initialized = True  # there is nothing left for gunicorn to do
        self.stage = Stage.HEAD
        self.since = self.deadline = 0.0  # monotonic seconds
        self.keep = False  # whether another request may follow
        self.answer: Answer | None = None  # while it is not made to its end
        self.dropped = 0  # bytes
        self.watched = 0  # the events that the poller looks out for
        self._max_body = max_body
        self.gathering = Gathering(max_body)

    def enter(self, stage: Stage, seconds: float) -> None:
        """Be in `stage` from now on, for at most so long."""
        self.stage, self.since = stage, monotonic()
        self.deadline = self.since + seconds

    def end_answer(self) -> None:
        """No more of the answer is made."""
        answer, self.answer = self.answer, None
        if answer is not None:
            answer.close()

    def close(self, graceful: bool = False) -> None:
        """Let go of the client and of what was made for it."""
        self.end_answer()
        super().close(graceful)

    def hand_over(self) -> None:
        """Make the request that is whole the one to parse; what came after it begins the next."""
        head, body, rest = self.gathering.take()
        self.keep = self.gathering.certain
        self.parser = RequestParser(self.cfg, iter([head, body]), self.client)
        self.gathering = Gathering(self._max_body, rest)
