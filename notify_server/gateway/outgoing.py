"""Socket.IO's server with a bounded queue for each client: whoever puts into it, one client never holds the others."""

import asyncio
from contextvars import ContextVar

import socketio
from engineio import AsyncServer
from engineio.packet import MESSAGE, Packet

from notify_server.gateway.connection import Connection

OPENING: ContextVar[Connection] = ContextVar("connection")  # the one that is opened in this task


class Outgoing(asyncio.Queue[Packet | None]):
    """What waits to be written to one client; None ends it."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.connection = connection
        connection.put = self.put_nowait

    def put_nowait(self, item: Packet | None) -> None:
        """Take a packet, unless the client is too slow for it: the connection ends then, and all of it is dropped."""
        if item is None or self.connection.queue(_size(item)):
            super().put_nowait(item)


def _size(packet: Packet) -> int:
    """Characters that are counted off again when it is written; those of Engine.IO's own packets are not counted."""
    return len(packet.data) if packet.packet_type == MESSAGE else 0


class _Transport(AsyncServer):  # type: ignore[misc] # python-engineio ships no types
    def create_queue(self, *_: object, **__: object) -> Outgoing:
        """Called by Engine.IO for each new socket, in the task that opens it."""
        return Outgoing(OPENING.get())


class Server(socketio.AsyncServer):  # type: ignore[misc] # python-socketio ships no types
    """Behind a Door alone: each of its sockets needs a Connection."""

    def _engineio_server_class(self) -> type[AsyncServer]:
        return _Transport

    def takes(self, transport: str) -> bool:
        """Whether what is queued for an Engine.IO session is going to be written, if the client lives."""
        found = self.eio.sockets.get(transport)
        return found is not None and not found.closed and found.queue.connection.ended is None

    def connection(self, transport: str) -> Connection | None:
        """The connection of an Engine.IO session; None where it has gone."""
        found = self.eio.sockets.get(transport)
        queue: Outgoing | None = found and found.queue
        return None if queue is None else queue.connection
