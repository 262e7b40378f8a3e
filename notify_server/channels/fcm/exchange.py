"""One reusable libcurl transfer: a request to FCM and its answer."""

import socket
from io import BytesIO

import certifi
import pycurl

from notify_server.channels.fcm.answer import outcome
from notify_server.channels.fcm.credential import Headers
from notify_server.domain.outcome import ACCEPTED, Outcome

_CONNECT_TIMEOUT = 10.0  # seconds
_FIXED_HEADERS = ("Content-Type: application/json", "User-Agent: notify-server", "Accept:", "Expect:")


class Exchange:
    """An easy handle with its buffers, used for one request after another.

    The body goes in through a read callback that cannot be rewound. Given POSTFIELDS, libcurl would quietly repeat
    a POST whose connection broke before the answer came, and FCM may already have accepted that.
    """

    def __init__(self, ca_file: str, timeout: float) -> None:
        self._body = BytesIO()
        self._received: list[bytes] = []
        self._url = ""
        self._headers: Headers = ()
        self.curl = _easy_handle(ca_file, timeout)
        self.curl.setopt(pycurl.READFUNCTION, self._body.read)
        self.curl.setopt(pycurl.WRITEFUNCTION, self._received.append)

    def load(self, url: str, headers: Headers, body: bytes) -> None:
        """Make ready for the next request; options that are as they were are left alone, for speed."""
        if url is not self._url:
            self.curl.setopt(pycurl.URL, url)
            self._url = url
        if headers is not self._headers:
            self.curl.setopt(pycurl.HTTPHEADER, [*headers, *_FIXED_HEADERS])
            self._headers = headers
        self._received.clear()
        self._body.seek(0)
        self._body.truncate()
        self._body.write(body)
        self._body.seek(0)
        self.curl.setopt(pycurl.POSTFIELDSIZE, len(body))

    def answer(self) -> tuple[int, Outcome]:
        """The HTTP status of the finished request, and what it means."""
        status: int = self.curl.getinfo(pycurl.RESPONSE_CODE)
        if status == 200:
            return status, ACCEPTED
        wait = self.curl.getinfo(pycurl.RETRY_AFTER)  # seconds; 0 when the answer names none, or a date that is over
        return status, outcome(status, b"".join(self._received), wait or None)


def _easy_handle(ca_file: str, timeout: float) -> pycurl.Curl:
    curl = pycurl.Curl()
    curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
    curl.setopt(pycurl.PIPEWAIT, 1)  # a stream of an open connection rather than a new connection
    curl.setopt(pycurl.POST, 1)
    curl.setopt(pycurl.CAINFO, ca_file or certifi.where())
    curl.setopt(pycurl.CONNECTTIMEOUT_MS, int(min(_CONNECT_TIMEOUT, timeout) * 1000))
    curl.setopt(pycurl.TIMEOUT_MS, int(timeout * 1000))
    curl.setopt(pycurl.NOSIGNAL, 1)
    curl.setopt(pycurl.SOCKOPTFUNCTION, lambda fd, _purpose: _bound_silence(fd, timeout))
    return curl


def _bound_silence(fd: int, timeout: float) -> int:
    """Break a connection whose peer has vanished: each new stream would join it and time out there.

    Linux only: RFC 5482, tcp(7) TCP_USER_TIMEOUT.
    """
    peer = socket.socket(fileno=fd)
    try:
        if peer.family != socket.AF_UNIX:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(timeout * 1000))
    finally:
        peer.detach()
    return int(pycurl.SOCKOPT_OK)
