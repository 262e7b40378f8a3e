"""The threads of a gateway that hear what other processes have to say, and pass it on to its event loop."""

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeVar

from notify_server.gateway.server import Channels
from notify_server.processes.loop import Loop
from notify_server.storage.documents import Store
from notify_server.storage.erasures import Erasures
from notify_server.storage.signals import Work, heard
from notify_server.storage.updates import Erased, Following, Update

T = TypeVar("T")


def listening(database: Store, loop: asyncio.AbstractEventLoop, channels: Channels) -> list[Loop]:
    """One thread hears that something may be new, the other what changed; neither is started."""
    following, erasures = Following(database), Erasures(database)

    def wake(work: frozenset[Work]) -> None:
        if Work.ANNOUNCEMENT in work:
            loop.call_soon_threadsafe(channels.announcing.wake)

    def tell(update: Update | Erased | None) -> None:
        if isinstance(update, Erased):
            for user in [u for u in tuple(channels.sockets.users) if erasures.pseudonym(u) == update.pseudonym]:
                asyncio.run_coroutine_threadsafe(channels.updating.part(user), loop)
        elif update is not None and update.user in channels.sockets.users:
            asyncio.run_coroutine_threadsafe(channels.updating.hear(update), loop)

    return [_each("listener", lambda: heard(database), wake), _each("follower", following.heard, tell)]


def _each(name: str, source: Callable[[], Iterable[T]], pass_on: Callable[[T], None]) -> Loop:
    """A thread that passes on what it hears, and opens its source again when that ends."""

    def listen() -> None:
        for found in source():
            pass_on(found)
            if thread.stopping.is_set():
                return

    thread = Loop(name, listen)
    return thread
