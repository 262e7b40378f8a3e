"""SIGTERM and SIGINT: the first lets the process finish what it has begun, a second one kills it."""

import os
import signal
from _thread import start_new_thread
from threading import Event
from types import FrameType

_LOOK = 0.5  # seconds until a signal is noticed at the latest


def until_stopped() -> Event:
    """Install the handlers (main thread only); the event is set by the first signal.

    The handler runs in the main thread, which may be inside the event's own lock as it begins or ends to wait: setting
    the event from there would wait for itself. So another thread does, started by the one call that takes no lock.
    """
    stopped, signalled = Event(), False

    def handle(number: int, _: FrameType | None) -> None:
        nonlocal signalled
        if signalled:
            os._exit(128 + number)
        signalled = True
        start_new_thread(stopped.set, ())

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
    return stopped


def await_stop(stopped: Event) -> None:
    """Wait for `stopped`, an event of `until_stopped`.

    The kernel may hand a signal to any thread, and Python runs its handler in the main one when that goes on: it is
    not to wait without an end.
    """
    while not stopped.wait(_LOOK):
        pass
