"""libcurl's multi interface on an epoll loop of our own: many requests over a few HTTP/2 connections."""

import os
import select
import selectors
import time
from collections.abc import Iterator
from contextlib import suppress

import pycurl

STREAMS = 100  # FCM's limit of concurrent streams on one HTTP/2 connection
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_INTEREST = {pycurl.POLL_IN: _READ, pycurl.POLL_OUT: _WRITE, pycurl.POLL_INOUT: _READ | _WRITE}
_READY = {_READ: pycurl.CSELECT_IN, _WRITE: pycurl.CSELECT_OUT, _READ | _WRITE: pycurl.CSELECT_IN | pycurl.CSELECT_OUT}


class Alarm:
    """Wakes a multiplexer from any thread."""

    def __init__(self) -> None:
        self.fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def ring(self) -> None:
        """Wake the multiplexer now, or at once when it next goes to sleep."""
        os.eventfd_write(self.fd, 1)

    def silence(self) -> None:
        """Forget all rings so far."""
        with suppress(BlockingIOError):
            os.eventfd_read(self.fd)

    def wait(self) -> None:
        """Sleep until it rings."""
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        poll.poll()

    def close(self) -> None:
        """Release the descriptor."""
        os.close(self.fd)


class Multiplexer:
    """Runs transfers, all from one thread. It never polls: it sleeps until a socket, a timeout or the alarm calls.

    A transfer that ends stops reading, and libcurl (8.23, with OpenSSL's read-ahead) leaves the TLS records behind
    its answer in a buffer. They may hold the answers of others, and the emptied socket does not call for them. So
    each socket on which a transfer ended is asked once more before the next sleep.
    """

    def __init__(self, connections: int, alarm: Alarm) -> None:
        self._alarm = alarm
        self._due: float | None = None  # when libcurl wants to be called, on the monotonic clock
        self._watched: set[int] = set()  # libcurl's sockets
        self._unread: set[int] = set()  # those that may have left answers in a buffer
        self._selector = selectors.DefaultSelector()
        self._selector.register(alarm.fd, _READ)
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, connections)
        self._multi.setopt(pycurl.M_MAX_CONCURRENT_STREAMS, STREAMS)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._arm)

    def start(self, curl: pycurl.Curl) -> None:
        """Begin a transfer; it moves with the next `step`."""
        self._multi.add_handle(curl)

    def step(self, patience: float | None) -> None:
        """Sleep until something is to be done, at most `patience` seconds (None: for ever), and do it."""
        unread, self._unread = self._unread & self._watched, set()
        called = {key.fd: events for key, events in self._selector.select(0 if unread else self._sleep(patience))}
        if called.pop(self._alarm.fd, None):
            self._alarm.silence()
        for fd, events in (dict.fromkeys(unread, _READ) | called).items():
            self._multi.socket_action(fd, _READY[events])
        if self._due is not None and time.monotonic() >= self._due:
            self._due = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)

    def finished(self) -> Iterator[tuple[pycurl.Curl, str | None]]:
        """The transfers that have ended, with what went wrong where no answer came. Each may be started again."""
        more = 1
        while more:
            more, answered, failed = self._multi.info_read(STREAMS)
            for curl in answered:
                self._release(curl)
                yield curl, None
            for curl, number, text in failed:
                self._release(curl)
                yield curl, f"curl {number}: {text}"

    def close(self) -> None:
        """Break off what still runs and release the connections."""
        self._multi.close()
        self._selector.close()

    def _release(self, curl: pycurl.Curl) -> None:
        fd = curl.getinfo(pycurl.ACTIVESOCKET)
        if fd in self._watched:
            self._unread.add(fd)
        self._multi.remove_handle(curl)

    def _sleep(self, patience: float | None) -> float | None:
        if self._due is None:
            return patience
        left = max(0.0, self._due - time.monotonic())
        return left if patience is None else min(left, patience)

    def _arm(self, milliseconds: int) -> None:
        self._due = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000

    def _watch(self, interest: int, fd: int, _multi: pycurl.CurlMulti, _data: object) -> None:
        if interest == pycurl.POLL_REMOVE:
            self._watched.discard(fd)
            with suppress(KeyError):
                self._selector.unregister(fd)
        elif fd in self._watched:
            self._selector.modify(fd, _INTEREST[interest])
        else:
            self._watched.add(fd)
            self._selector.register(fd, _INTEREST[interest])
