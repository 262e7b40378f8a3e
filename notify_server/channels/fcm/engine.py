"""The one thread that talks to FCM, whichever threads send."""

import threading
import time
import traceback
from collections import deque
from contextlib import closing

import structlog

from notify_server.channels.fcm.call import Call
from notify_server.channels.fcm.dispatcher import Dispatcher
from notify_server.channels.fcm.multiplexer import Alarm

_log = structlog.get_logger()


class Engine:
    """Serves calls from any thread; its own thread begins with the first call.

    `connections` bounds the HTTP/2 connections, `timeout` (seconds) each request from its start to its answer.
    """

    def __init__(self, connections: int, timeout: float, ca_file: str) -> None:
        self._connections = connections
        self._timeout = timeout
        self._ca_file = ca_file
        self._submitted: deque[Call] = deque()
        self._gate = threading.Lock()
        self._alarm = Alarm()
        self._thread: threading.Thread | None = None
        self._closes_at: float | None = None  # on the monotonic clock; None: not closing

    def submit(self, call: Call) -> None:
        """Take a call in hand; after `close` it is abandoned at once."""
        with self._gate:
            if self._closes_at is not None:
                call.abandon()
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="fcm-engine", daemon=True)
                self._thread.start()
            self._submitted.append(call)
            self._alarm.ring()

    def close(self) -> None:
        """Let running calls end, for at most as long as one request may take, then abandon them."""
        with self._gate:
            if self._closes_at is not None:
                return
            self._closes_at = time.monotonic() + self._timeout
            self._alarm.ring()
        if self._thread is not None:
            self._thread.join()
        self._alarm.close()

    def _run(self) -> None:
        while not self._shift():
            self._alarm.wait()

    def _shift(self) -> bool:
        """Serve until closed. False: something unexpected was raised, and cost the calls in hand."""
        try:
            with closing(Dispatcher(self._connections, self._timeout, self._ca_file, self._alarm)) as dispatcher:
                self._serve(dispatcher)
        except Exception as error:  # noqa: BLE001 - the waiting senders must hear of it, and the thread must live
            # As text: a renderer of exc_info may show local variables, and those hold secrets.
            _log.error("fcm_engine_failed", error=type(error).__name__, traceback=traceback.format_exc())
            while self._submitted:
                self._submitted.popleft().abandon()
            return False
        return True

    def _serve(self, dispatcher: Dispatcher) -> None:
        while True:
            patience = None if self._closes_at is None else self._closes_at - time.monotonic()
            while self._submitted:
                dispatcher.add(self._submitted.popleft())
            if patience is not None and (patience <= 0 or not dispatcher.busy):
                return
            dispatcher.round(patience)
