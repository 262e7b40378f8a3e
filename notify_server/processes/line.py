"""One connection of a web process. Nothing that is done with it waits for the client."""

import socket
from contextlib import suppress
from enum import Enum, auto
from time import monotonic
from typing import Any

from gunicorn.http.parser import RequestParser
from gunicorn.workers.gthread import TConn

from notify_server.processes.framing import Gathering


class Wire:
    """A socket to which a thread writes without waiting: what the client does not take yet is kept in `rest`."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self.rest = b""

    def sendall(self, data: bytes) -> None:
        """Send what can be sent now, and keep the rest."""
        self.rest += data
        self.flush()

    send = sendall

    def flush(self) -> bool:
        """Send more of the rest; True when nothing is left. Raises OSError when the client is gone."""
        with suppress(BlockingIOError):
            while self.rest:
                self.rest = self.rest[self._sock.send(self.rest) :]
        return not self.rest

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
        self.dropped = 0  # bytes
        self.watched = 0  # the events that the poller looks out for
        self._max_body = max_body
        self.gathering = Gathering(max_body)

    def enter(self, stage: Stage, seconds: float) -> None:
        """Be in `stage` from now on, for at most so long."""
        self.stage, self.since = stage, monotonic()
        self.deadline = self.since + seconds

    def hand_over(self) -> None:
        """Make the request that is whole the one to parse; what came after it begins the next."""
        head, body, rest = self.gathering.take()
        self.keep = self.gathering.certain
        self.parser = RequestParser(self.cfg, iter([head, body]), self.client)
        self.gathering = Gathering(self._max_body, rest)
