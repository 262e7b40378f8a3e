"""Breaking a connection without an answer, which no HTTP server lets its application do.

The simulator runs in the process that holds the sockets, so it finds the socket by its peer and shuts it down: the
client sees its connection end, with every request on it unanswered.
"""

import os
import socket
from contextlib import suppress

_DESCRIPTORS = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
_INTERNET = (socket.AF_INET, socket.AF_INET6)


def sever(peer: str) -> bool:
    """Shut down this process's connection with `peer` ("127.0.0.1:50000", "[::1]:50000"); whether there was one."""
    for name in os.listdir(_DESCRIPTORS):
        with suppress(OSError):
            descriptor = os.dup(int(name))
            if _shut_down(descriptor, peer):
                return True
    return False


def _shut_down(descriptor: int, peer: str) -> bool:
    try:
        connection = socket.socket(fileno=descriptor)
    except OSError:
        os.close(descriptor)
        return False
    with connection:
        if connection.family not in _INTERNET or _address(connection) != peer:
            return False
        connection.shutdown(socket.SHUT_RDWR)
        return True


def _address(connection: socket.socket) -> str:
    host, port = connection.getpeername()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
