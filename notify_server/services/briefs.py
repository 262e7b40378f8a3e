"""Brief audiences, each a few named users: as many as make no more than a page are expanded and sent together."""

from collections import deque
from collections.abc import Iterator, Sequence

from notify_server.domain.batch import SIZE, Rank
from notify_server.services.expansion import Expansion
from notify_server.services.load import Load
from notify_server.storage.expansions import Claim
from notify_server.storage.signals import Work

_AT_ONCE = 100  # notifications of one rank
_LEAST_URGENT = 4  # every so many pages, the least urgent have theirs first
_FEW = 50  # users: more would keep an urgent one waiting for its turn at FCM, where the pace is slow
_SMALL = [rank for rank in Rank if rank.small]


class Briefs:
    """Puts brief audiences together: those of one priority with each other, and all of them where they are few."""

    work = Work.BRIEF

    def __init__(self, expansion: Expansion) -> None:
        self._expansion = expansion
        self._waiting: dict[Rank, deque[Claim]] = {rank: deque() for rank in _SMALL}
        self._begun: deque[Iterator[Load]] = deque()
        self._pages = 0

    @property
    def idle(self) -> bool:
        """Whether no audience is being expanded."""
        return not self._begun and not any(self._waiting.values())

    def claim(self) -> int:
        """Take up more notifications, if any wait and there is room. Returns how many.

        With one look as a rule; but what waits of one rank takes no room of another, which would starve.
        """
        room = {rank: _AT_ONCE - len(waiting) for rank, waiting in self._waiting.items()}
        looks = [_SMALL] if len(set(room.values())) == 1 else [[rank] for rank in _SMALL]
        found = 0
        for ranks in looks:
            claims = self._expansion.claim(ranks, left) if (left := room[ranks[0]]) else []
            self._wait(claims)  # before another look, which may fail: what was claimed is kept by renewing
            found += len(claims)
        return found

    def _wait(self, claims: Sequence[Claim]) -> None:
        for claim in claims:
            if claim.brief:
                self._waiting[Rank.of(claim.notification.priority, small=True)].append(claim)
            else:  # another process has begun with it
                self._begun.append(self._expansion.loads(claim))

    def step(self) -> Load | None:
        """Expand a page of them; what is to be sent of it, None where there is none.

        What fails drops out, and is claimed again.
        """
        if not self._begun and any(self._waiting.values()):
            self._pages += 1
            self._begun.append(self._expansion.together(self._page()))
        if not self._begun:
            return None
        loads = self._begun.popleft()
        load = next(loads, None)
        if load is not None:
            self._begun.appendleft(loads)
        return load

    def _page(self) -> list[Claim]:
        """What is expanded next: the most urgent, but a stream of them leaves the others a part of the turns."""
        waiting = [claim for rank in _SMALL for claim in self._waiting[rank]]
        if sum(map(_size, waiting)) <= _FEW:
            for claims in self._waiting.values():
                claims.clear()
            return waiting
        ranks: Sequence[Rank] = _SMALL if self._pages % _LEAST_URGENT else _SMALL[::-1]
        return _page_of(next(self._waiting[rank] for rank in ranks if self._waiting[rank]))


def _page_of(claims: deque[Claim]) -> list[Claim]:
    """The first of `claims`, with as many of the next as make no more than a page together."""
    together, room = list[Claim](), SIZE
    while claims and _size(claims[0]) <= room:
        room -= _size(claims[0])
        together.append(claims.popleft())
    return together


def _size(claim: Claim) -> int:
    return len(claim.notification.audience.users)
