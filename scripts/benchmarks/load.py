"""Many keep-alive connections that each repeat one HTTP/1.1 request, as cheaply as Python can.

A process of its own; the request, the port and the sums go by standard input and output as one line of JSON each.
"""

import json
import selectors
import socket
import subprocess
import sys
import time
from dataclasses import dataclass

_LENGTH = b"content-length:"
_CHUNK = 65_536  # bytes


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it. Times in seconds; `cpu` is the processor time of the client itself."""

    answers: int
    seconds: float
    times: list[float]
    cpu: float


def repeat(port: int, request: bytes, status: int, connections: int, seconds: float) -> Load:
    """Repeat `request` on each connection for so long. Raises RuntimeError at the first answer without `status`."""
    asked = {
        "port": port,
        "request": request.decode(),
        "status": status,
        "connections": connections,
        "seconds": seconds,
    }
    command = [sys.executable, __file__]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the load ended: {done.stderr}")
    return Load(**json.loads(done.stdout))


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    began: float = 0.0
    received: bytes = b""

    def send(self, request: bytes) -> None:
        self.began = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> bytes | None:
        """The whole answer, once it is there."""
        chunk = self.socket.recv(_CHUNK)
        if not chunk:
            raise ConnectionError("the server closed a connection")
        self.received += chunk
        head, separator, body = self.received.partition(b"\r\n\r\n")
        if not separator:
            return None
        _, _, rest = head.lower().partition(_LENGTH)
        if len(body) < int(rest.partition(b"\r\n")[0]):
            return None
        answer, self.received = self.received, b""
        return answer


def _load(port: int, request: bytes, status: int, connections: int, seconds: float) -> Load:
    selector = selectors.DefaultSelector()
    expected = f"HTTP/1.1 {status} ".encode()
    began, cpu, times = time.perf_counter(), time.process_time(), []
    for _ in range(connections):
        connection = _Connection(socket.create_connection(("127.0.0.1", port)))
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(request)
    while time.perf_counter() - began < seconds:
        for key, _ in selector.select(1.0):
            connection = key.data
            answer = connection.receive()
            if answer is None:
                continue
            if not answer.startswith(expected):
                raise RuntimeError(f"unexpected answer: {answer.decode()}")
            times.append(time.perf_counter() - connection.began)
            connection.send(request)
    return Load(len(times), time.perf_counter() - began, times, time.process_time() - cpu)


def _main() -> None:
    asked = json.loads(sys.stdin.readline())
    asked["request"] = asked["request"].encode()
    found = _load(**asked)
    print(json.dumps({"answers": found.answers, "seconds": found.seconds, "times": found.times, "cpu": found.cpu}))


if __name__ == "__main__":
    _main()
