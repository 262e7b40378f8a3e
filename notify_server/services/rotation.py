"""Several audiences expanded at once, so that a short one need not wait for a long one."""

from collections import deque
from collections.abc import Iterator, Sequence

from notify_server.domain.batch import SIZE, Rank
from notify_server.services.expansion import Expansion
from notify_server.services.load import Load
from notify_server.storage.expansions import Claim

_BRIEF_AT_ONCE = 100  # notifications of one rank, of which each names few users
_LARGE_AT_ONCE = 4  # notifications of one rank: each may name 50,000 users, which are kept in memory
_LEAST_URGENT = 4  # every so many turns of brief audiences, the least urgent have theirs first
_SMALL = [rank for rank in Rank if rank.small]
_LARGE = [rank for rank in Rank if not rank.small]


class Rotation:
    """Takes turns, a page at a time: brief audiences first, then by priority, and within a rank one after the other."""

    def __init__(self, expansion: Expansion) -> None:
        self._expansion = expansion
        self._brief: dict[Rank, deque[Claim]] = {rank: deque() for rank in _SMALL}
        self._turns: dict[Rank, deque[Iterator[Load]]] = {rank: deque() for rank in Rank}
        self._yielded = False  # the last turn was that of a brief audience, while a large one waited
        self._brief_turns = 0

    @property
    def idle(self) -> bool:
        """Whether no audience is being expanded."""
        return not any(self._turns.values()) and not any(self._brief.values())

    def claim(self) -> bool:
        """Take up more notifications, if any wait: what is small always, what is large as long as there is room."""
        claims = [*self._claim_small(), *self._claim_large()]
        for claim in claims:
            priority = claim.notification.priority
            if claim.brief:
                self._brief[Rank.of(priority, small=True)].append(claim)
            else:
                self._turns[Rank.of(priority)].append(self._expansion.loads(claim))
        return bool(claims)

    def _claim_small(self) -> list[Claim]:
        """With one look as a rule; but what waits of one rank takes no room of another, which would starve."""
        room = {rank: _BRIEF_AT_ONCE - len(self._brief[rank]) for rank in _SMALL}
        looks = [_SMALL] if len(set(room.values())) == 1 else [[rank] for rank in _SMALL]
        return [claim for ranks in looks if (left := room[ranks[0]]) for claim in self._expansion.claim(ranks, left)]

    def _claim_large(self) -> list[Claim]:
        room = {rank: _LARGE_AT_ONCE - len(self._turns[rank]) for rank in _LARGE}
        wanted = [rank for rank, left in room.items() if left > 0]
        return self._expansion.claim(wanted, min(room[rank] for rank in wanted)) if wanted else []

    def step(self, *, small: bool = False) -> Load:
        """Expand one page, or some brief audiences, or with `small` those only; what is to be sent of it.

        What fails drops out of the rotation: its lease runs out, and it is claimed again.
        """
        turns = self._next(small=small)
        if turns is None:
            return ()
        loads = turns.popleft()
        load = next(loads, None)
        if load is None:
            return ()
        turns.append(loads)
        return load

    def _next(self, *, small: bool) -> deque[Iterator[Load]] | None:
        """Whose turn it is: a large audience waits for one turn of brief ones, and no stream of them holds it up.

        Those that come during its page, of some 20 ms, are then expanded together.
        """
        large = next((self._turns[rank] for rank in _LARGE if self._turns[rank]), None)
        if large and not small and self._yielded:
            self._yielded = False
            return large
        for rank in self._small_in_turn():
            if self._brief[rank] and not self._turns[rank]:
                self._turns[rank].append(self._expansion.together(self._page_of(self._brief[rank])))
                self._yielded = large is not None
                self._brief_turns += 1
            if self._turns[rank]:
                return self._turns[rank]
        return None if small else large

    def _small_in_turn(self) -> Sequence[Rank]:
        """The most urgent first, as a rule: a stream of them leaves the others a part of the turns."""
        return _SMALL if (self._brief_turns + 1) % _LEAST_URGENT else _SMALL[::-1]

    def _page_of(self, claims: deque[Claim]) -> list[Claim]:
        """The first of `claims`, with as many of the next as make no more than a page together."""
        together = [claims.popleft()]
        room = SIZE - len(together[0].notification.audience.users)
        while claims and len(claims[0].notification.audience.users) <= room:
            room -= len(claims[0].notification.audience.users)
            together.append(claims.popleft())
        return together
