"""A gateway in the test's own process, without sockets of the network: what it would send is read off its queues."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from engineio.packet import Packet

from notify_server.bootstrap import Gateway
from notify_server.gateway.announcing import Announcing
from notify_server.gateway.emitting import Emitting
from notify_server.gateway.limits import DEFAULTS, End
from notify_server.gateway.noting import Noting
from notify_server.gateway.replay import Replaying
from notify_server.gateway.sockets import Socket, Sockets
from notify_server.gateway.updates import Updating


@dataclass(eq=False)
class Line:
    """Stands where a Connection stands: keeps what goes out, in order. With one packet more than it takes, it ends."""

    takes_most: int = 1_000_000
    sent: list[str] = field(default_factory=list)
    has_room: bool = True

    def put(self, packet: Packet) -> bool:
        self.sent.append(str(packet.encode()))
        return len(self.sent) <= self.takes_most

    async def room(self) -> None:
        """There is always room."""

    def end(self, reason: End) -> None:
        self.takes_most = 0


class Harness:
    """Every part of a gateway, over a real database."""

    def __init__(self, gateway: Gateway) -> None:
        self.lines: dict[str, Line] = defaultdict(Line)  # by the names of the sockets
        self.sockets = Sockets()
        emitting = Emitting(DEFAULTS.buffer)
        self.noting = Noting(gateway.announcements, 0.05)
        self.updating = Updating(gateway.inbox, self.sockets, emitting, 0.05)
        self.announcing = Announcing(gateway.announcements, self.sockets, emitting, self.noting, self.updating.changed)
        self.replaying = Replaying(gateway.replays, emitting, self.noting, 0.05)

    def open(self, name: str, user: str) -> Socket:
        """A socket that has just been let in."""
        connection: Any = self.lines[name]
        socket = Socket(name, connection, user, self.announcing.position)
        self.sockets.add(socket)
        return socket

    def sent(self, name: str) -> list[str]:
        """Everything that went out to a socket."""
        return self.lines[name].sent
