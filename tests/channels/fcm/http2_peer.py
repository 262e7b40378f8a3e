"""An HTTP/2 server over TLS that does at its moments what the test says, where the simulator would just answer."""

import socket
import ssl
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import StreamEnded

from notify_server.simulator import certificates

_PATIENCE = 20.0  # seconds, for whatever the client is to do next


class Http2Peer:
    """Listens on this machine, at `url`; trust `ca_file`. Serves nobody by itself: call `accept`."""

    def __init__(self, directory: Path) -> None:
        found = certificates.ensure(directory)
        self.ca_file = str(found.ca)
        self._trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._trust.load_cert_chain(found.cert, found.key)
        self._trust.set_alpn_protocols(["h2"])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(_PATIENCE)
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"

    def accept(self) -> "Http2Session":
        """Wait for the next connection and shake hands."""
        connection, _ = self._listener.accept()
        connection.settimeout(_PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Http2Session(self._trust.wrap_socket(connection, server_side=True))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._listener.close()


class Http2Session:
    """One connection. Each thing that it sends is a TLS record of its own."""

    def __init__(self, connection: ssl.SSLSocket) -> None:
        self._connection = connection
        self._streams: list[int] = []
        self._http2 = H2Connection(H2Configuration(client_side=False))
        self._http2.initiate_connection()
        self._flush()

    def requests(self, count: int) -> list[int]:
        """Wait until `count` requests have come in since the beginning; the streams of all that have, in order."""
        while len(self._streams) < count:
            received = self._connection.recv(65536)
            if not received:
                raise ConnectionError("the client has left")
            events = self._http2.receive_data(received)
            self._streams += [event.stream_id for event in events if isinstance(event, StreamEnded)]
            self._flush()
        return list(self._streams)

    def answer(self, stream: int) -> None:
        """200 and FCM's body."""
        self._http2.send_headers(stream, [(":status", "200"), ("content-type", "application/json")])
        self._http2.send_data(stream, b'{"name": "projects/p/messages/1"}', end_stream=True)
        self._flush()

    def ping(self) -> None:
        """Make the client's socket readable with nothing in it for any stream."""
        self._http2.ping(b"01234567")
        self._flush()

    def go_away(self, last: int) -> None:
        """GOAWAY: streams after `last` were not looked at (RFC 9113 section 6.8)."""
        self._http2.close_connection(last_stream_id=last)
        self._flush()

    def wait_for_the_end(self) -> None:
        """Read on until the client closes the connection, then close it too."""
        with self._connection, suppress(ConnectionError):
            while self._connection.recv(65536):
                pass

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _flush(self) -> None:
        self._connection.sendall(self._http2.data_to_send())
