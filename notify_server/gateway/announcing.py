"""From announcements to emits: one loop, in the order of the sequence numbers."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from notify_server import metrics
from notify_server.domain.batch import Batch
from notify_server.domain.notification import Notification
from notify_server.gateway.emitting import Emitting, new
from notify_server.gateway.insisting import insist
from notify_server.gateway.noting import Noting
from notify_server.gateway.sockets import Held, Sockets
from notify_server.services.announcement import Announced, Announcements, Reached


class Announcing:
    """Tells the sockets of this process what is new. `wake` it when something may be.

    `position` is the number of the last announcement whose recipients were looked for among the sockets. A socket that
    opens after that finds it in the database; one that was open before is told, sooner or later.
    """

    def __init__(
        self,
        announcements: Announcements,
        sockets: Sockets,
        emitting: Emitting,
        noting: Noting,
        changed: Callable[[Iterable[str]], None],
    ) -> None:
        """`changed` is told whose unread notifications are to be counted."""
        self._announcements = announcements
        self._changed = changed
        self._sockets = sockets
        self._emitting = emitting
        self._noting = noting
        self._thread = ThreadPoolExecutor(1, "announcing")  # its own: it waits for no replay
        self._woken = asyncio.Event()
        self.position = 0

    def wake(self) -> None:
        """Look at once."""
        self._woken.set()

    async def begin(self, poll: float) -> None:
        """Start with what is announced from now on; before any socket is opened."""
        self.position = await insist(self._thread, self._announcements.last, pause=poll)

    async def run(self, poll: float) -> None:
        """Emit what is new at each call, and at least every `poll` seconds, until cancelled."""
        while True:
            self._woken.clear()
            while batches := await insist(self._thread, self._announcements.following, self.position, pause=poll):
                reached = self._reached(batches)
                if reached:
                    await self._tell(await insist(self._thread, self._announcements.read, reached, pause=poll))
            try:
                async with asyncio.timeout(poll):
                    await self._woken.wait()
            except TimeoutError:
                continue

    def _reached(self, batches: Sequence[Batch]) -> list[Reached]:
        """Which of them go to whom of those who have sockets now; and move on past them."""
        here = self._sockets.users
        found = [Reached(batch, [user for user in batch.users if user in here]) for batch in batches]
        self.position = batches[-1].sequence or self.position
        return [reached for reached in found if reached.users]

    async def _tell(self, announced: Sequence[Announced]) -> None:
        emitted: list[tuple[Notification, Sequence[str]]] = []
        for each in announced:
            for told, users in each.told:
                announcement = Held(each.sequence, new(told), each.notification)
                emitted.append((each.notification, self._reach(users, announcement)))
            metrics.EMIT_SECONDS.observe(self._announcements.age(each.notification))
        self._changed(user for each in announced for _, users in each.told for user in users)
        await self._noting.note([each for each in emitted if each[1]])

    def _reach(self, users: Sequence[str], announcement: Held) -> list[str]:
        """Who of these has a socket that gets it now: one that is behind notes it in its turn."""
        announce, of = self._emitting.announce, self._sockets.of
        counts = [sum(announce(socket, announcement) for socket in of(user)) for user in users]
        metrics.EMITTED.labels("notification:new").inc(sum(counts))
        return [user for user, count in zip(users, counts, strict=True) if count]
