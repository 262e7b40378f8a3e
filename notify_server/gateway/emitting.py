"""The one way in which anything goes out to a socket.

A packet is encoded once, however many sockets get it, and goes straight to each: python-socketio's own emit to a room
would encode an announcement once for each user, and start a task for each socket.
"""

from typing import Any

from engineio.packet import MESSAGE, Packet
from socketio.packet import EVENT
from socketio.packet import Packet as Event

from notify_server.domain.notification import Notification
from notify_server.gateway.limits import End
from notify_server.gateway.outgoing import Shared
from notify_server.gateway.sockets import Held, Socket
from notify_server.services.told import Told

NAMESPACE = "/"


class Emitting:
    """Writes to sockets, each of which may hold back as much as may wait for a client (`buffer`)."""

    def __init__(self, buffer: int) -> None:
        self._buffer = buffer

    def has_room(self, socket: Socket) -> bool:
        """Whether the client has taken most of what it was sent."""
        return socket.connection.has_room

    async def keep_pace(self, socket: Socket) -> None:
        """Return when the client has taken most of what it was sent: for what may be more than its buffer holds."""
        await socket.connection.room()

    def send(self, socket: Socket, packet: Packet) -> bool:
        """Queue a packet for a socket, behind those before it. Returns whether it was: False where it has gone."""
        return socket.connection.put(packet)

    def announce(self, socket: Socket, announcement: Held) -> bool:
        """Let a socket have an announcement, unless it has had it; one that is behind gets it in its turn.

        Returns whether it was queued now. A socket that is too far behind is disconnected: when it comes back, it is
        told what it has missed.
        """
        if announcement.sequence <= socket.after:
            return False
        if socket.held is None:
            return self.send(socket, announcement.packet)
        if socket.holds + announcement.size > self._buffer:
            self.end(socket, End.TOO_SLOW)
        else:
            socket.held.append(announcement)
            socket.holds += announcement.size
        return False

    async def go_live(self, socket: Socket) -> list[Notification]:
        """The socket has been told what it missed: it gets what was held, and then everything as it comes.

        Returns what of the held was queued.
        """
        told: list[Notification] = []
        while socket.held:
            held, socket.held = socket.held, []
            for each in held:
                socket.holds -= each.size
                if each.sequence > socket.after:
                    await self.keep_pace(socket)
                    told += [each.notification] if self.send(socket, each.packet) else []
        socket.held = None
        return told

    def end(self, socket: Socket, reason: End) -> None:
        """End the connection of a socket."""
        socket.connection.end(reason)  # not a disconnect of Socket.IO's: after that, its clients stay away


def encoded(event: str, *arguments: Any) -> Packet:
    """The packet of an event, which many sockets may share."""
    return Shared(MESSAGE, Event(EVENT, data=[event, *arguments], namespace=NAMESPACE).encode())


def new(told: Told) -> Packet:
    """The packet of a new notification."""
    return encoded("notification:new", told.content, told.origin)
