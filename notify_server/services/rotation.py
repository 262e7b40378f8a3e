"""Several audiences expanded at once, so that a short one need not wait for a long one."""

from collections import deque
from collections.abc import Iterator, Sequence

from notify_server.domain.batch import SIZE, Rank
from notify_server.services.expansion import Expansion
from notify_server.services.load import Load
from notify_server.storage.expansions import Claim


class Rotation:
    """Takes turns, a page at a time: brief audiences first, then by priority, and within a rank one after the other."""

    def __init__(self, expansion: Expansion) -> None:
        self._expansion = expansion
        self._turns: dict[Rank, deque[Iterator[Load]]] = {rank: deque() for rank in Rank}

    @property
    def idle(self) -> bool:
        """Whether no audience is being expanded."""
        return not any(self._turns.values())

    def claim(self) -> bool:
        """Take up more notifications, if any wait."""
        claims = self._expansion.claim()
        for claim in claims:
            if not claim.brief:
                self._turns[Rank.of(claim.notification.priority)].append(self._expansion.loads(claim))
        for rank, alike in _alike([claim for claim in claims if claim.brief]):
            self._turns[rank].append(self._expansion.together(alike))
        return bool(claims)

    def step(self) -> Load:
        """Expand one page, or some brief audiences; what is to be sent of it.

        What fails drops out of the rotation: its lease runs out, and it is claimed again.
        """
        turns = next((turns for turns in self._turns.values() if turns), None)
        if turns is None:
            return ()
        loads = turns.popleft()
        load = next(loads, None)
        if load is None:
            return ()
        turns.append(loads)
        return load


def _alike(claims: Sequence[Claim]) -> Iterator[tuple[Rank, list[Claim]]]:
    """Brief audiences of one rank, together no larger than a page."""
    for rank in (Rank.URGENT, Rank.PROMPT):
        together: list[Claim] = []
        room = SIZE
        for claim in claims:
            if Rank.of(claim.notification.priority, small=True) is not rank:
                continue
            users = len(claim.notification.audience.users)
            if users > room and together:
                yield rank, together
                together, room = [], SIZE
            together.append(claim)
            room -= users
        if together:
            yield rank, together
