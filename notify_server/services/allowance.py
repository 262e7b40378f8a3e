"""What one worker may send at the moment: a bucket of tokens, one a message, that fills at its part of the rate.

A broadcast pays before it is sent, so that all workers together never send more than the rate allows. What is urgent
never waits for that: it goes at once and owes its tokens, up to a second's part of them, which a broadcast then pays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition, Lock

_BURST = 0.1  # seconds of the rate that an idle worker may send at once
_LOOK = 0.5  # seconds after which a waiting sender looks again, come what may
_NOTHING = 1e-6  # messages: what is left to pay by the rounding of floats
_USE = 0.5  # of the rate, at least: less makes no use of it


@dataclass(frozen=True, slots=True)
class Demand:
    """Whether anybody asked within so many seconds, and whether that made use of the rate: of half of it or more."""

    asked: bool
    used: bool
    seconds: float


class Allowance:
    """Safe for many threads. `ticks` is a monotonic clock in seconds; while `shut` says so, nobody may send."""

    def __init__(self, part: float, ticks: Callable[[], float], shut: Callable[[], bool]) -> None:
        self._part = part
        self._ticks = ticks
        self._shut = shut
        self._tokens = 0.0
        self._owed = 0.0  # by what is urgent
        self._wanting = 0.0  # what a broadcast saves up for
        self._filled_at = ticks()
        self._changed = Condition()
        self._saving = Lock()
        self._stopped = False
        self._asked = self._waited = False  # since the last look at the demand
        self._sent = 0  # messages, since then
        self._looked_at = self._filled_at

    def change(self, part: float) -> None:
        """Go on with this many messages a second; who waits looks again, too, whether it may send at all."""
        with self._changed:
            self._fill()
            self._part = part
            self._changed.notify_all()

    def demand(self) -> Demand:
        """What was asked for since the last call."""
        with self._changed:
            now = self._ticks()
            seconds = now - self._looked_at
            used = self._waited or self._sent > _USE * self._part * seconds
            found = Demand(self._asked, self._asked and used, seconds)
            self._asked = self._waited = False
            self._sent, self._looked_at = 0, now
            return found

    def borrow(self, messages: int) -> bool:
        """Wait until so many urgent messages may be sent; False when nothing may be sent any more.

        What is more than a second's part is borrowed part by part, so that a large batch keeps the pace, too.
        """
        left = float(messages)
        with self._changed:
            while self._open():
                self._fill()
                beyond = self._owed - self._part
                if beyond > 0:
                    self._waited = True
                    self._changed.wait(min(beyond / self._part, _LOOK))
                    continue
                borrowed = min(left, max(self._part, 1.0))
                left -= borrowed
                self._owed += borrowed
                self._tokens -= borrowed
                if left <= 0:
                    self._sent += messages
                    return True
            self._owed -= messages - left
            self._tokens += messages - left
            return False

    def save(self, messages: int) -> bool:
        """Wait until so many messages are paid for, one broadcast after the other; False as with `borrow`."""
        with self._saving, self._changed:
            self._fill()
            self._wanting = float(messages)
            try:
                return self._pay(messages)
            finally:
                self._wanting = 0.0

    def _pay(self, messages: int) -> bool:
        while self._open():
            self._fill()
            short = messages - self._tokens
            if short <= _NOTHING:
                self._tokens -= messages
                self._sent += messages
                return True
            self._waited = True
            self._changed.wait(min(short / self._part, _LOOK))
        return False

    def refund(self, messages: int) -> None:
        """Take back what was paid for messages that were not sent; less than 0: what was sent unpaid."""
        with self._changed:
            self._tokens += messages
            self._changed.notify_all()

    def stop(self) -> None:
        """Let nobody wait any longer."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _open(self) -> bool:
        self._asked = True  # who waits for its part needs one, too
        return not self._stopped and not self._shut()

    def _fill(self) -> None:
        now = self._ticks()
        filled = (now - self._filled_at) * self._part
        self._filled_at = now
        self._owed = max(self._owed - filled, 0.0)
        most = max(self._part * _BURST, 1.0, self._wanting)
        if self._tokens < most:
            self._tokens = min(self._tokens + filled, most)
