"""SIGTERM and SIGINT: the first lets the process finish what it has begun, a second one kills it."""

import os
import signal
from threading import Event
from types import FrameType


def until_stopped() -> Event:
    """Install the handlers (main thread only); the event is set by the first signal."""
    stopped = Event()

    def handle(number: int, _: FrameType | None) -> None:
        if stopped.is_set():
            os._exit(128 + number)
        stopped.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
    return stopped
