"""When refusals for the quota mean that the project is over its quota, and not only some device over its own.

What single devices are refused is few, whatever is sent; what a project is refused grows with it.

FCM answers 429 QUOTA_EXCEEDED for both (FCM: "Message throttling and quotas").
"""

from collections.abc import Sequence

from notify_server.domain.outcome import Outcome
from notify_server.domain.registry import Reason

_WINDOW = 1000  # answers that are looked at together
_LEAST = 5  # refusals, and of the answers …
_SHARE = 0.02  # … more than this: left alone, even three of a hundred would go on for ever


class Refusals:
    """Counts the answers that one worker gets. Nearly exact with many threads, which is enough."""

    def __init__(self) -> None:
        self._answers = 0
        self._refused = 0

    def too_many(self, outcomes: Sequence[Outcome]) -> bool:
        """Count one dispatch; whether the refusals of late are more than single devices account for."""
        refused = sum(outcome.reason is Reason.QUOTA_EXCEEDED for outcome in outcomes)
        if self._answers + len(outcomes) > _WINDOW:
            self._answers = self._refused = 0
        self._answers += len(outcomes)
        self._refused += refused
        return refused > 0 and self._refused >= _LEAST + int(_SHARE * self._answers)
