"""An answer that is made in turns: between two of them it may wait for its client, and then no thread has it."""

from collections.abc import Iterable
from typing import Any

TURN = 512 * 1024  # bytes that are made at once; and while more than that is held, no more is made


class Answer:
    """What the application answers to one request; `response` is gunicorn's, which frames it."""

    def __init__(self, response: Any, made: Iterable[bytes]) -> None:
        self._response = response
        self._made = made
        self._pieces = iter(made)

    @property
    def has_begun(self) -> bool:
        """Whether any of it was sent, so that no other answer can be given any more."""
        return bool(self._response.headers_sent)

    @property
    def is_last(self) -> bool:
        """Whether no other may follow on its connection."""
        return bool(self._response.should_close())

    def go_on(self) -> bool:
        """Make it for a turn; True when that was the last. Raises OSError, and whatever the application raises."""
        left = TURN
        for piece in self._pieces:
            self._response.write(piece)
            left -= len(piece)
            if left <= 0 and self._response.sent != self._response.response_length:
                return False
        self._response.close()
        return True

    def close(self) -> None:
        """Let the application clean up, at the end or before."""
        close = getattr(self._made, "close", None)
        if close is not None:
            close()
