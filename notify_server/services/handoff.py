"""Pages that pass from expansion to delivery inside one worker, without a detour through the database."""

from collections import deque
from threading import Condition

from notify_server.domain.batch import Rank
from notify_server.services.expansion import Page


class Handoff:
    """A short bounded queue, high rank first, on which dispatchers also wait for other work. Safe for many threads."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._pages: dict[Rank, deque[Page]] = {rank: deque() for rank in Rank}
        self._changed = Condition()
        self._calls = 0

    def offer(self, page: Page, patience: float) -> bool:
        """Queue `page`; False when there was no room for it within `patience` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self) < self._room, patience):
                return False
            self._pages[page.batch.rank].append(page)
            self._changed.notify_all()
            return True

    def take(self) -> Page | None:
        """The most urgent page, if any."""
        with self._changed:
            page = next((pages.popleft() for pages in self._pages.values() if pages), None)
            if page is not None:
                self._changed.notify_all()
            return page

    def wake(self) -> None:
        """Tell everyone who waits that there may be work in the database."""
        with self._changed:
            self._calls += 1
            self._changed.notify_all()

    @property
    def calls(self) -> int:
        """How often `wake` was called: pass it to `wait` so that no call between is missed."""
        return self._calls

    def wait(self, calls: int, timeout: float) -> None:
        """Return at once when a page is there or `wake` was called since `calls` was read; else after `timeout` s."""
        with self._changed:
            self._changed.wait_for(lambda: self._calls != calls or len(self) > 0, timeout)

    def wait_for_call(self, calls: int, timeout: float) -> None:
        """The same for those to whom pages are no news."""
        with self._changed:
            self._changed.wait_for(lambda: self._calls != calls, timeout)

    def __len__(self) -> int:
        return sum(map(len, self._pages.values()))
