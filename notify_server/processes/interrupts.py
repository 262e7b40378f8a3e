"""Ctrl-C and SIGTERM for `up`: the first stops everything in order, the second kills it."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """The first signal, raised in the main thread wherever it is."""


class Interrupts:
    """Counts the signals. `kill` is called at every signal after the first."""

    def __init__(self, kill: Callable[[], None]) -> None:
        self._kill = kill
        self._received = 0
        self._stopping = False

    @property
    def killed(self) -> bool:
        """Whether there was a second signal."""
        return self._received > 1

    @contextlib.contextmanager
    def handled(self) -> Iterator[None]:
        """Handle signals here, in the main thread; at the end everything is as it was."""
        before = {number: signal.signal(number, self._handle) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def stopping(self) -> None:
        """From here on the first signal asks for what happens anyway, and raises nothing."""
        self._stopping = True

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        self._received += 1
        if self.killed:
            self._kill()
        elif not self._stopping:
            raise Stopped
