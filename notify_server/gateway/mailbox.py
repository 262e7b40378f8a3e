"""A queue of one reader that weighs little while it is empty: each socket has two, and asyncio's take 3 KiB each."""

import asyncio
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")

_LOOK = 0.01  # seconds


class Mailbox(Generic[T]):
    """What `asyncio.Queue` offers to one reader, without a bound. Only the event loop touches it."""

    __slots__ = ("_items", "_reader")

    def __init__(self) -> None:
        self._items: deque[T] | None = None  # None: nothing waits
        self._reader: asyncio.Future[T] | None = None

    def empty(self) -> bool:
        """Whether nothing waits."""
        return self._items is None

    def put_nowait(self, item: T) -> None:
        """Hand `item` to the reader, or keep it until the reader comes."""
        reader, self._reader = self._reader, None
        if reader is not None and not reader.done():
            reader.set_result(item)
        elif self._items is None:
            self._items = deque((item,))
        else:
            self._items.append(item)

    async def put(self, item: T) -> None:
        """The same: there is always room."""
        self.put_nowait(item)

    def get(self) -> asyncio.Future[T]:
        """The next item, once there is one. A future: to wait for a coroutine with a timeout would take a task."""
        found: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if self._items is None:
            self._reader = found
        else:
            found.set_result(self.get_nowait())
        return found

    def get_nowait(self) -> T:
        """The next item. Raises asyncio.QueueEmpty."""
        if self._items is None:
            raise asyncio.QueueEmpty
        item = self._items.popleft()
        if not self._items:
            self._items = None
        return item

    def task_done(self) -> None:
        """Nobody needs to be told that an item was dealt with."""

    async def join(self) -> None:
        """Return when all has been got."""
        while self._items is not None:
            await asyncio.sleep(_LOOK)
