"""Spreads the targets of all running calls over the exchanges, a fair share at a time."""

from collections import deque

import pycurl

from notify_server.channels.fcm.call import Call
from notify_server.channels.fcm.exchange import Exchange
from notify_server.channels.fcm.multiplexer import Alarm, Multiplexer
from notify_server.channels.fcm.window import Window

_SHARE = 25  # targets of one call before the next has its turn, so that a small call never waits for a big one


class Dispatcher:
    """For one thread. At most `connections` of 100 streams each; `timeout` is that of a request, in seconds."""

    def __init__(self, connections: int, timeout: float, ca_file: str, alarm: Alarm) -> None:
        self._connections = connections
        self._alarm = alarm
        self._multiplexer = Multiplexer(connections, alarm)
        self._timeout = timeout
        self._ca_file = ca_file
        self._window = Window(connections)
        self._idle: list[Exchange] = []
        self._waiting: deque[Call] = deque()
        self._running: dict[pycurl.Curl, tuple[Exchange, Call, int]] = {}

    @property
    def busy(self) -> bool:
        """Whether any call is in hand."""
        return bool(self._waiting or self._running)

    def add(self, call: Call) -> None:
        """Take a call in hand."""
        self._waiting.append(call)

    def round(self, patience: float | None) -> None:
        """Start what there is room for, wait for the network (seconds; None: for ever) and settle what has ended."""
        while self._waiting and (room := self._window.size - len(self._running)) > 0:
            self._start_share(self._waiting[0], room)
        self._multiplexer.step(patience)
        answers, failed = 0, False
        for curl, fault in self._multiplexer.finished():
            answers += fault is None
            failed = failed or fault is not None
            self._settle(curl, fault)
        self._window.settled(answers, waiting=bool(self._waiting))
        if not self.busy:
            self._window.rest()
        if failed and not self._running:
            self._drop_connections()

    def close(self) -> None:
        """Abandon what is in hand and release everything."""
        for call in [*self._waiting, *(call for _, call, _ in self._running.values())]:
            call.abandon()
        self._multiplexer.close()
        for exchange in [*self._idle, *(exchange for exchange, _, _ in self._running.values())]:
            exchange.curl.close()

    def _start_share(self, call: Call, room: int) -> None:
        for _ in range(min(_SHARE, call.unsent, room)):
            exchange = self._idle.pop() if self._idle else Exchange(self._ca_file, self._timeout)
            position, body = call.take()
            exchange.load(call.url, call.headers, body)
            self._running[exchange.curl] = (exchange, call, position)
            self._multiplexer.start(exchange.curl)
        self._waiting.popleft()
        if call.unsent:
            self._waiting.append(call)

    def _drop_connections(self) -> None:
        """Begin anew: libcurl looks for dead connections only once a second, and would use one of them again."""
        self._multiplexer.close()
        self._multiplexer = Multiplexer(self._connections, self._alarm)

    def _settle(self, curl: pycurl.Curl, fault: str | None) -> None:
        exchange, call, position = self._running[curl]
        if fault is None:
            status, outcome = exchange.answer()
            call.answer(position, status, outcome)
        else:
            call.lose(position, fault)
        del self._running[curl]
        self._idle.append(exchange)
