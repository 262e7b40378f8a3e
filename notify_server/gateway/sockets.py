"""Who has sockets in this process, and how far each socket is."""

from collections.abc import Collection, Set
from dataclasses import dataclass, field

from engineio.packet import Packet

from notify_server.domain.notification import Notification
from notify_server.gateway.connection import Connection


@dataclass(frozen=True, slots=True)
class Held:
    """An announcement that waits."""

    sequence: int
    packet: Packet
    notification: Notification

    @property
    def size(self) -> int:
        """Characters of its packet."""
        return len(self.packet.data)


@dataclass(slots=True, eq=False)
class Socket:
    """One open socket of a user, by its session id in Socket.IO, and the connection that carries it.

    `after` is the sequence number up to which announcements are no news to it. What is announced while it is still
    being told what it has missed is `held`, `holds` characters of it; None: it is live.
    """

    sid: str
    connection: Connection
    user: str
    after: int
    held: list[Held] | None = field(default_factory=list)
    holds: int = 0


class Sockets:
    """The sockets of this process. Only its event loop touches them."""

    def __init__(self) -> None:
        self._by_sid: dict[str, Socket] = {}
        self._by_user: dict[str, dict[str, Socket]] = {}

    def __len__(self) -> int:
        return len(self._by_sid)

    @property
    def users(self) -> Set[str]:
        """Who has a socket here."""
        return self._by_user.keys()

    def add(self, socket: Socket) -> None:
        """It is open."""
        self._by_sid[socket.sid] = socket
        self._by_user.setdefault(socket.user, {})[socket.sid] = socket

    def find(self, sid: str) -> Socket | None:
        """The open socket of this session id."""
        return self._by_sid.get(sid)

    def of(self, user: str) -> Collection[Socket]:
        """The user's open sockets here, as they are now."""
        theirs = self._by_user.get(user)
        return () if theirs is None else tuple(theirs.values())

    def remove(self, sid: str) -> Socket | None:
        """It is closed; None where it was not open."""
        socket = self._by_sid.pop(sid, None)
        if socket is not None:
            theirs = self._by_user[socket.user]
            del theirs[sid]
            if not theirs:
                del self._by_user[socket.user]
        return socket
