"""A gateway in the test's own process, without sockets of the network: what it would send is read off its queues."""

from dataclasses import dataclass, field
from typing import Any

from engineio.packet import Packet

from notify_server.bootstrap import Gateway
from notify_server.gateway.announcing import Announcing
from notify_server.gateway.emitting import Emitting
from notify_server.gateway.limits import DEFAULTS
from notify_server.gateway.noting import Noting
from notify_server.gateway.replay import Replaying
from notify_server.gateway.sockets import Socket, Sockets
from notify_server.gateway.updates import Updating


@dataclass
class Wire:
    """Stands where Socket.IO's server stands: keeps what goes out to each transport, in order."""

    sent: dict[str, list[str]] = field(default_factory=dict)
    takes_most: dict[str, int] = field(default_factory=dict)  # packets, by transport: with one more it ends

    @property
    def eio(self) -> "Wire":
        return self

    async def send_packet(self, transport: str, packet: Packet) -> None:
        self.sent.setdefault(transport, []).append(str(packet.encode()))

    def takes(self, transport: str) -> bool:
        return len(self.sent.get(transport, [])) <= self.takes_most.get(transport, 1_000_000)

    def connection(self, transport: str) -> None:
        """None of these has one."""


class Harness:
    """Every part of a gateway, over a real database."""

    def __init__(self, gateway: Gateway) -> None:

        self.wire: Any = Wire()
        self.sockets = Sockets()
        emitting = Emitting(self.wire, DEFAULTS.buffer)
        self.noting = Noting(gateway.announcements, 0.05)
        self.updating = Updating(gateway.inbox, self.sockets, emitting, 0.05)
        self.announcing = Announcing(gateway.announcements, self.sockets, emitting, self.noting, self.updating.changed)
        self.replaying = Replaying(gateway.replays, emitting, self.noting, 0.05)

    def open(self, name: str, user: str) -> Socket:
        """A socket that has just been let in."""
        socket = Socket(name, name, user, self.announcing.position)
        self.sockets.add(socket)
        return socket

    def sent(self, name: str) -> list[str]:
        """Everything that went out to a socket."""
        return self.wire.sent.get(name, [])
