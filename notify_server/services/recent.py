"""Answers that take long are given again for a while: not each load of a page is to look at millions of documents."""

from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar

APART = 20  # times as long as it took to find it, an answer is given again

Answer = TypeVar("Answer")


class Recent(Generic[Answer]):
    """The answer of `find`, at most APART times as old as it took to find it; who asks meanwhile waits for it.

    Where it is found at once, it is as good as new. An error is not kept. `now` counts seconds.
    """

    def __init__(self, find: Callable[[], Answer], now: Callable[[], float] = monotonic) -> None:
        self._find = find
        self._now = now
        self._one_at_a_time = Lock()
        self._known: tuple[Answer, float] | None = None  # and until when

    def __call__(self) -> Answer:
        """Raises what `find` raises."""
        with self._one_at_a_time:
            begun = self._now()
            if self._known is None or self._known[1] <= begun:
                answer, end = self._find(), self._now()
                self._known = answer, end + APART * (end - begun)
            return self._known[0]
