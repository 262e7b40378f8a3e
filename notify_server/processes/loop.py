"""A thread that repeats one step until it is told to stop, whatever the step raises."""

from collections.abc import Callable
from threading import Event, Thread

import structlog

from notify_server.errors import DatabaseUnavailable

log = structlog.get_logger()

_REST = 1.0  # seconds after an error


class Loop:
    """Runs `step` again and again. An error is logged and followed by a rest; only `stop` ends the loop."""

    def __init__(self, name: str, step: Callable[[], None]) -> None:
        self._name = name
        self._step = step
        self.stopping = Event()
        self._thread = Thread(target=self._run, name=name)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Let the running step end, and begin no other."""
        self.stopping.set()

    def join(self) -> None:
        """Wait for the last step."""
        self._thread.join()

    def _run(self) -> None:
        while not self.stopping.is_set():
            try:
                self._step()
            except DatabaseUnavailable as error:
                log.warning("database unavailable", loop=self._name, problem=str(error))
                self.stopping.wait(_REST)
            except Exception:
                log.exception("step failed", loop=self._name)
                self.stopping.wait(_REST)
