"""Several audiences expanded at once, so that a short one need not wait for a long one."""

from collections import deque
from collections.abc import Iterator

from notify_server.domain.batch import Rank
from notify_server.services.expansion import Expansion, Page


class Rotation:
    """Takes turns, a page at a time: high priority first, within a rank each notification in its turn."""

    def __init__(self, expansion: Expansion) -> None:
        self._expansion = expansion
        self._turns: dict[Rank, deque[Iterator[Page]]] = {rank: deque() for rank in Rank}

    @property
    def idle(self) -> bool:
        """Whether no audience is being expanded."""
        return not any(self._turns.values())

    def claim(self) -> bool:
        """Take up one more notification, if one waits."""
        claim = self._expansion.claim()
        if claim is None:
            return False
        self._turns[Rank.of(claim.notification.priority)].append(self._expansion.pages(claim))
        return True

    def step(self) -> Page | None:
        """Expand one page of the notification whose turn it is; None when nothing came of it.

        What fails drops out of the rotation: its lease runs out, and it is claimed again.
        """
        turns = next((turns for turns in self._turns.values() if turns), None)
        if turns is None:
            return None
        pages = turns.popleft()
        page = next(pages, None)
        if page is not None:
            turns.append(pages)
        return page
