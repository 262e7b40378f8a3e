"""Many open sockets in a process of its own, as cheap as Python can have them: raw frames, counted and not decoded.

Orders and answers go by standard input and output, one line of JSON each:
{"open": [tokens]} → {"opened": n}
{"expect": n, "within": seconds, "times": bool} → {"events": n, "first", "last", "cpu", "seen": [[id, time]…]}
Times are of time.time(), in seconds; `cpu` is this process's own processor time since the last answer.
"""

import json
import os
import re
import selectors
import socket
import subprocess
import sys
import time
from typing import Any

_KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455's own example: nobody checks it here
_REQUEST = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
    f"Connection: Upgrade\r\nSec-WebSocket-Key: {_KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_CHUNK = 262_144  # bytes
_EVENT = b'42["notification:new"'
_ID = re.compile(rb'"id":"([0-9a-f]{24})","created_at":"[^"]*","replayed"')
_OPENING = 100  # sockets that are opened at once


class Crowd:
    """The sockets, as the benchmark speaks to them."""

    def __init__(self, port: int) -> None:
        command = [sys.executable, __file__, str(port)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def open(self, tokens: list[str]) -> None:
        """Open a socket with each token, and wait until all are open."""
        if self._ask(open=tokens)["opened"] != len(tokens):
            raise RuntimeError("not every socket was opened")

    def expect(self, events: int, within: float, *, times: bool = False) -> dict[str, Any]:
        """Wait for so many events. Raises RuntimeError where they do not come in time."""
        found = self._ask(expect=events, within=within, times=times)
        if found["events"] != events:
            raise RuntimeError(f"{found['events']} events came, of {events}")
        return found

    def begin(self, events: int, within: float, *, times: bool = False) -> None:
        """The same without waiting: `end` gives the answer."""
        self._send(expect=events, within=within, times=times)

    def end(self) -> dict[str, Any]:
        """What `begin` asked for."""
        found: dict[str, Any] = json.loads(self._answer())
        return found

    def close(self) -> None:
        """End the process, and with it every socket."""
        self._process.kill()
        self._process.wait()

    def _ask(self, **order: Any) -> dict[str, Any]:
        self._send(**order)
        return self.end()

    def _send(self, **order: Any) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()

    def _answer(self) -> str:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError("the process of the sockets ended")
        return line


class _Socket:
    """One connection: `state` is what it waits for."""

    __slots__ = ("connection", "rest", "state", "token")

    def __init__(self, port: int, token: str) -> None:
        self.connection = socket.create_connection(("127.0.0.1", port))
        self.connection.setblocking(False)
        self.rest = b""
        self.token = token
        self.state = "upgrade"
        self.connection.send(_REQUEST.encode())


class _Loop:
    """Everything in one thread."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._selector = selectors.EpollSelector()
        self._open = 0
        self.events = 0
        self.last = 0.0
        self.first = 0.0
        self.seen: list[tuple[str, float]] | None = None

    def open(self, tokens: list[str]) -> int:
        """Open sockets, some at a time."""
        self._open = 0
        for number, token in enumerate(tokens, 1):
            made = _Socket(self._port, token)
            self._selector.register(made.connection, selectors.EVENT_READ, made)
            while number - self._open >= _OPENING or (number == len(tokens) and self._open < number):
                self.turn(5.0)
        return self._open

    def watch_orders(self) -> None:
        """Wake up for a line on standard input too: pings are answered while nothing else happens."""
        self._selector.register(0, selectors.EVENT_READ, None)

    def turn(self, timeout: float) -> bool:
        """Read what is there; whether there is an order."""
        ordered = False
        for key, _ in self._selector.select(timeout):
            if key.data is None:
                ordered = True
            else:
                self._read(key.data)
        return ordered

    def _read(self, each: _Socket) -> None:
        chunk = each.connection.recv(_CHUNK)
        if not chunk:
            raise ConnectionError("the server closed a socket")
        data = each.rest + chunk if each.rest else chunk
        if each.state == "upgrade":
            head, separator, data = data.partition(b"\r\n\r\n")
            if not separator:
                each.rest = head
                return
            if not head.startswith(b"HTTP/1.1 101"):
                raise ConnectionError(head.decode())
            each.state = "open"
        each.rest = self._frames(each, data)

    def _frames(self, each: _Socket, data: bytes) -> bytes:
        """Take the whole frames off `data`; what is left."""
        at, end = 0, len(data)
        while end - at >= 2:
            length, begin = data[at + 1], at + 2
            if length == 126:
                length, begin = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
            elif length == 127:
                length, begin = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
            if begin + length > end:
                break
            at = begin + length
            if data.startswith(_EVENT, begin):
                self._event(data, begin, at)
            else:
                self._control(each, data[begin:at])
        return data[at:]

    def _event(self, data: bytes, begin: int, end: int) -> None:
        self.events += 1
        self.last = time.time()
        self.first = self.first or self.last
        if self.seen is not None and (found := _ID.search(data, begin, end)):
            self.seen.append((found[1].decode(), self.last))

    def _control(self, each: _Socket, text: bytes) -> None:
        if text == b"2":
            each.connection.send(_frame(b"3"))
        elif text.startswith(b"0"):
            each.connection.send(_frame(b"40" + json.dumps({"token": each.token}).encode()))
        elif text.startswith(b"40"):
            self._open += 1
        elif text.startswith(b"44"):
            raise ConnectionError(text.decode())


def _frame(text: bytes) -> bytes:
    """A client's frame, masked with zeros, which change nothing."""
    head = bytes([0x81, 0x80 | len(text)]) if len(text) < 126 else b"\x81\xfe" + len(text).to_bytes(2, "big")
    return head + bytes(4) + text


def _expect(loop: _Loop, events: int, within: float, *, times: bool) -> dict[str, Any]:
    loop.seen = [] if times else None
    until = time.monotonic() + within
    while loop.events < events and time.monotonic() < until:
        loop.turn(0.2)
    found = {"events": loop.events, "first": loop.first, "last": loop.last, "seen": loop.seen}
    loop.events, loop.first = 0, 0.0
    return found


def _main() -> None:
    loop = _Loop(int(sys.argv[1]))
    loop.watch_orders()
    orders, cpu = b"", time.process_time()
    while True:
        while b"\n" not in orders:
            if loop.turn(1.0):
                read = os.read(0, 1 << 20)
                if not read:
                    return
                orders += read
        line, _, orders = orders.partition(b"\n")
        order = json.loads(line)
        if "open" in order:
            answer: dict[str, Any] = {"opened": loop.open(order["open"])}
        else:
            answer = _expect(loop, order["expect"], order["within"], times=order["times"])
        answer["cpu"], cpu = time.process_time() - cpu, time.process_time()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    _main()
