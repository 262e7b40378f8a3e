"""Actors: threads that stop before each operation, so that a test decides who goes on, how far, and who dies where."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from threading import Semaphore, Thread, current_thread
from typing import Any

from pymongo.client_session import ClientSession
from pymongo.collection import Collection

from notify_server.domain.device import Target
from notify_server.domain.notification import Notification
from notify_server.domain.push import Encoded, PushTransport, Sending, Sent
from notify_server.storage.documents import Document, Store
from notify_server.storage.signals import COLLECTION
from tests.services.interruption import OPERATIONS, Killed

_PATIENCE = 60.0  # seconds: an actor that neither stops nor ends waits for another one


class Actor(Thread):
    """`act` in a thread of its own, which goes on only within `go`. One actor at most runs at any moment."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._act = act
        self._turn, self._back = Semaphore(0), Semaphore(0)
        self._left: int | None = 0
        self._killed = False
        self._error: BaseException | None = None
        self.over = False
        self.start()

    def run(self) -> None:
        """As Thread has it."""
        self._turn.acquire()
        try:
            self._act()
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 - it is raised again where the test sees it
            self._error = error
        self.over = True
        self._back.release()

    def go(self, operations: int | None = None) -> None:
        """Let it do so many operations more, or all that it has to do. Raises what it raises."""
        self._left = operations
        self._turn.release()
        assert self._back.acquire(timeout=_PATIENCE), "an actor waits for another one"
        if self._error is not None:
            raise self._error

    def kill(self) -> None:
        """End it where it stands."""
        self._killed = True
        self.go()

    def stop_before_operation(self) -> None:
        """Called in its own thread: wait for the turn."""
        while self._left == 0:
            self._back.release()
            self._turn.acquire()
        if self._killed:
            raise Killed
        if self._left is not None:
            self._left -= 1


def gate() -> None:
    """Where an actor stops; anybody else passes."""
    actor = current_thread()
    if isinstance(actor, Actor):
        actor.stop_before_operation()


class Gated:
    """A real database with a gate before each operation. A transaction has one gate: it is one operation."""

    def __init__(self, database: Store) -> None:
        self._database = database
        self.client = _Client(database)

    def __getitem__(self, name: str) -> Any:
        return _Operations(self._database[name])

    def get_collection(self, name: str, **options: Any) -> Any:
        """As the driver has it."""
        found = self._database.get_collection(name, **options)
        return found if name == COLLECTION else _Operations(found)


class _Client:
    def __init__(self, database: Store) -> None:
        self._client = database.client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def start_session(self, **options: Any) -> ClientSession:
        gate()
        return self._client.start_session(**options)


class _Operations:
    def __init__(self, collection: Collection[Document]) -> None:
        self._collection = collection

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._collection, name)
        return partial(_after_the_gate, found) if name in OPERATIONS else found


def _after_the_gate(operation: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    if "session" not in options:
        gate()
    return operation(*arguments, **options)


class GatedTransport:
    """A real transport with a gate before each send, and one between the send and whatever follows."""

    def __init__(self, transport: PushTransport) -> None:
        self._transport = transport

    def encode(self, notification: Notification, at: datetime) -> Encoded:
        """As the transport has it."""
        return self._transport.encode(notification, at)

    def begin(self, sends: Sequence[tuple[Encoded, Sequence[Target]]]) -> Sending:
        """As the transport has it."""
        gate()
        outcomes = self._transport.begin(sends).all()
        gate()
        return Sent(outcomes)

    def close(self) -> None:
        """As the transport has it."""
        self._transport.close()
