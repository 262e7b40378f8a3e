"""Several large audiences expanded at once, so that one need not wait for the end of another."""

from collections import deque
from collections.abc import Iterator

from notify_server.domain.batch import Rank
from notify_server.services.expansion import Expansion
from notify_server.services.load import Load
from notify_server.storage.signals import Work

_AT_ONCE = 4  # notifications of one rank: each may name 50,000 users, which are kept in memory
_LARGE = [rank for rank in Rank if not rank.small]


class Rotation:
    """Takes turns, a page at a time: by priority, and within a rank one after the other."""

    work = Work.LARGE

    def __init__(self, expansion: Expansion) -> None:
        self._expansion = expansion
        self._turns: dict[Rank, deque[Iterator[Load]]] = {rank: deque() for rank in _LARGE}

    @property
    def idle(self) -> bool:
        """Whether no audience is being expanded."""
        return not any(self._turns.values())

    def claim(self) -> int:
        """Take up more notifications, if any wait and there is room. Returns how many."""
        room = {rank: _AT_ONCE - len(turns) for rank, turns in self._turns.items()}
        wanted = [rank for rank, left in room.items() if left > 0]
        claims = self._expansion.claim(wanted, min(room[rank] for rank in wanted)) if wanted else []
        for claim in claims:
            self._turns[Rank.of(claim.notification.priority)].append(self._expansion.loads(claim))
        return len(claims)

    def step(self) -> Load | None:
        """Expand one page; what is to be sent of it. None: there was none, as an audience is finished.

        What fails drops out of the rotation: its lease runs out, and it is claimed again.
        """
        turns = next((turns for turns in self._turns.values() if turns), None)
        load = None
        if turns is not None:
            try:
                load = next(turns[0], None)
            finally:
                turns.rotate(-1)
                if load is None:
                    turns.pop()
        return load
