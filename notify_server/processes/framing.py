"""Where one HTTP/1.1 request ends (RFC 9112 sections 6 and 7): found while its bytes arrive, without waiting for any.

gunicorn parses what was found once more, and refuses what is wrong with it. Whatever is not certain here is handed
over as it is, and the connection is not used again: no byte of it can then be taken for another request.
"""

import re
from enum import Enum, auto

MAX_HEAD = 64 * 1024  # bytes of request line and headers, and of a trailer
_MAX_SIZE_LINE = 256  # bytes of the line in front of a chunk
_FRAMING = re.compile(rb"\r\n(content-length|transfer-encoding|expect)[ \t]*:[ \t]*([^\r\n]*?)[ \t]*(?=\r\n)", re.I)
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(;|\Z)")


class Progress(Enum):
    """What is there of a request."""

    HEAD = auto()  # not even the whole head
    BODY = auto()
    WHOLE = auto()
    HEAD_TOO_LARGE = auto()
    BODY_TOO_LARGE = auto()


class Gathering:
    """The bytes of one request and of what follows it. `max_body` in bytes."""

    def __init__(self, max_body: int, begun: bytes = b"") -> None:
        self.data = bytearray(begun)
        self.certain = True  # how it is framed
        self.awaits_continue = False  # the client holds the body back until it is told to send it
        self._max_body = max_body
        self._searched = 0  # up to here, there is no end of the head
        self._head = 0  # its length, once it is known
        self._end: int | None = None  # of the request
        self._chunk = 0  # where the next line with a size begins
        self._body = 0  # bytes in the chunks so far

    def add(self, more: bytes) -> Progress:
        """Take in what has arrived."""
        self.data += more
        if not self._head:
            at = self.data.find(b"\r\n\r\n", max(0, self._searched - 3))
            if at < 0:
                self._searched = len(self.data)
                return Progress.HEAD_TOO_LARGE if self._searched > MAX_HEAD else Progress.HEAD
            if at > MAX_HEAD:
                return Progress.HEAD_TOO_LARGE
            self._begin_body(at + 4)
        return self._progress()

    def take(self) -> tuple[bytes, bytes, bytes]:
        """Head and body of the request that is whole, and what came after it."""
        end = self._end or 0
        return bytes(self.data[: self._head]), bytes(self.data[self._head : end]), bytes(self.data[end:])

    def _begin_body(self, head: int) -> None:
        fields = [(name.lower(), value.lower()) for name, value in _FRAMING.findall(self.data, 0, head)]
        if (b"expect", b"100-continue") in fields:
            head = self._answer_expectation(head)
        framing = [(name, value) for name, value in fields if name != b"expect"]
        self._head = self._chunk = head
        if not framing:
            self._end = head
        elif len(framing) == 1 and framing[0][0] == b"content-length" and re.fullmatch(rb"[0-9]{1,15}", framing[0][1]):
            self._body = int(framing[0][1])
            self._end = head + self._body
        elif framing != [(b"transfer-encoding", b"chunked")]:
            self._give_up()

    def _answer_expectation(self, head: int) -> int:
        """Take the expectation out of the head, as it is answered here; returns the head's new length."""
        self.awaits_continue = len(self.data) == head
        without = _FRAMING.sub(lambda found: b"" if found[1].lower() == b"expect" else found[0], self.data[:head])
        self.data[:head] = without
        return len(without)

    def _progress(self) -> Progress:
        if self._end is None:
            self._walk_chunks()
        if self._body > self._max_body or len(self.data) > 2 * self._max_body + MAX_HEAD:
            return Progress.BODY_TOO_LARGE
        return Progress.WHOLE if self._end is not None and len(self.data) >= self._end else Progress.BODY

    def _walk_chunks(self) -> None:
        """Go from chunk to chunk, as far as they are there, and find the end behind the last."""
        while self._end is None and self._chunk < len(self.data) and self._body <= self._max_body:
            line_end = self.data.find(b"\r\n", self._chunk, self._chunk + _MAX_SIZE_LINE)
            if line_end < 0:
                if len(self.data) - self._chunk >= _MAX_SIZE_LINE:
                    self._give_up()
                return
            size = _SIZE.match(self.data[self._chunk : line_end])
            if size is None:
                self._give_up()
            elif int(size[1], 16) == 0:
                self._find_end_of_trailer(line_end)
                return
            else:
                self._body += int(size[1], 16)
                self._chunk = line_end + 2 + int(size[1], 16) + 2

    def _find_end_of_trailer(self, line_end: int) -> None:
        at = self.data.find(b"\r\n\r\n", line_end)
        if at >= 0:
            self._end = at + 4
        elif len(self.data) - line_end > MAX_HEAD:
            self._give_up()

    def _give_up(self) -> None:
        self.certain = False
        self._end = len(self.data)
