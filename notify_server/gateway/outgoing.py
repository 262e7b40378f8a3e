"""Socket.IO's server with a bounded queue for each client: whoever puts into it, one client never holds the others."""

from contextvars import ContextVar
from functools import cached_property
from typing import Any

import socketio
from engineio import AsyncServer
from engineio.packet import MESSAGE, Packet
from websockets.frames import Frame, Opcode

from notify_server.gateway.connection import Connection
from notify_server.gateway.mailbox import Mailbox

OPENING: ContextVar[Connection] = ContextVar("connection")  # the one that is opened in this task


class Shared(Packet):  # type: ignore[misc] # python-engineio ships no types
    """A packet that goes to many: what is written of it is made once."""

    @cached_property
    def frame(self) -> bytes:
        """Its WebSocket frame."""
        return Frame(Opcode.TEXT, str(self.encode()).encode()).serialize(mask=False)


class Outgoing(Mailbox[Packet | None]):
    """What waits to be written to one client; None ends it."""

    __slots__ = ("connection",)

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.connection = connection
        connection.put = self.offer

    def offer(self, packet: Packet) -> bool:
        """Take a packet, unless the client is too slow for it: the connection ends then, and all of it is dropped.

        Returns whether it is going to be written, if the client lives. One that is shared is written at once where
        nothing waits: to wake the writer for it would cost more than all the rest.
        """
        if isinstance(packet, Shared) and self.connection.write(packet.frame):
            return True
        if not self.connection.queue(_size(packet)):
            return False
        super().put_nowait(packet)
        return True

    def put_nowait(self, item: Packet | None) -> None:
        """Called by Engine.IO, with packets of its own too."""
        if item is None:
            super().put_nowait(item)
        else:
            self.offer(item)


def _size(packet: Packet) -> int:
    """Characters that are counted off again when it is written; those of Engine.IO's own packets are not counted."""
    return len(packet.data) if packet.packet_type == MESSAGE else 0


class _Transport(AsyncServer):  # type: ignore[misc] # python-engineio ships no types
    def create_queue(self, *_: object, **__: object) -> Outgoing:
        """Called by Engine.IO for each new socket, in the task that opens it."""
        return Outgoing(OPENING.get())


class _Roomless(socketio.AsyncManager):  # type: ignore[misc] # python-socketio ships no types
    """No socket has a room of its own: whenever one goes, python-socketio looks for it in every room that there is."""

    def basic_enter_room(self, sid: str, namespace: str, room: str | None, eio_sid: str | None = None) -> None:
        """Called by Socket.IO for each new socket: to list it under its session id, and among all."""
        if room != sid:
            super().basic_enter_room(sid, namespace, room, eio_sid=eio_sid)


class Server(socketio.AsyncServer):  # type: ignore[misc]
    """Behind a Door alone: each of its sockets needs a Connection. `Sockets` knows them by their users."""

    def __init__(self, **options: Any) -> None:
        super().__init__(client_manager=_Roomless(), **options)

    def _engineio_server_class(self) -> type[AsyncServer]:
        return _Transport

    def connection(self, sid: str) -> Connection | None:
        """What carries a socket of Socket.IO; None where it has gone."""
        found = self.eio.sockets.get(self.manager.eio_sid_from_sid(sid, "/"))
        queue: Outgoing | None = None if found is None or found.closed else found.queue
        return None if queue is None else queue.connection
