"""Apps with real Socket.IO clients, Node's and Python's: what happens to them is found by `next`."""

import json
import os
import socket
import subprocess
import threading
from abc import ABC, abstractmethod
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import socketio

from tests.realtime_clients.npm import node, node_modules

_WITHIN = 20.0  # seconds
_DRIVER = Path(__file__).with_name("driver.cjs")


class Client(ABC):
    """An app of one user, opened at once, that connects again by itself with the last notification it saw."""

    def __init__(self) -> None:
        self._happened: Queue[tuple[str, list[Any]]] = Queue()

    def next(self, *wanted: str) -> tuple[str, list[Any]]:
        """The next thing that happens: an event and its arguments; of those `wanted`, where they are named."""
        try:
            while True:
                event, args = self._happened.get(timeout=_WITHIN)
                if not wanted or event in wanted:
                    return event, args
        except Empty:
            raise AssertionError(f"waited in vain for {wanted or 'anything'}") from None

    def quiet(self, seconds: float) -> bool:
        """Whether no notification comes for so long."""
        try:
            while self._happened.get(timeout=seconds)[0] != "notification:new":
                pass
        except Empty:
            return True
        return False

    def call(self, event: str, *args: Any) -> Any:
        """Emit; returns the acknowledgement."""
        self.emit(event, *args)
        return self.next("answer")[1][0]

    @abstractmethod
    def emit(self, event: str, *args: Any) -> None: ...

    @abstractmethod
    def pause(self) -> None:
        """Close, until `resume`."""

    @abstractmethod
    def resume(self) -> None: ...

    @abstractmethod
    def cut(self) -> None:
        """Break the connection: the client connects again by itself."""

    @abstractmethod
    def close(self) -> None: ...


class NodeClient(Client):
    """`socket.io-client` of the npm registry, in a process of Node."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__()
        self._process = subprocess.Popen(
            [node(), str(_DRIVER)],
            env=os.environ | {"NODE_PATH": str(node_modules())},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self._do("open", url=url, token=token)

    def emit(self, event: str, *args: Any) -> None:
        self._do("emit", event=event, args=args)

    def pause(self) -> None:
        self._do("pause")
        self.next("disconnect")

    def resume(self) -> None:
        self._do("resume")
        self.next("connect")

    def cut(self) -> None:
        self._do("cut")
        self.next("disconnect")

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(_WITHIN)
        self._reader.join(_WITHIN)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _do(self, name: str, **options: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"name": name, **options}) + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            happened = json.loads(line)
            self._happened.put((happened["event"], happened["args"]))


class PythonClient(Client):
    """python-socketio's client."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__()
        self._url, self._token, self._since = url, token, ""
        self._client = socketio.Client(reconnection_delay=0.1, reconnection_delay_max=0.5)
        self._opened: list[Any] = []  # WebSockets, of which the client leaves some open
        self._client.on("connect", lambda: self._note("connect"))
        self._client.on("connect_error", lambda error: self._note("connect_error", error))
        self._client.on("disconnect", lambda reason: self._happened.put(("disconnect", [reason])))
        self._client.on("*", self._told)
        self._connect()

    def emit(self, event: str, *args: Any) -> None:
        self._client.emit(event, args, callback=lambda answer: self._happened.put(("answer", [answer])))

    def pause(self) -> None:
        self._client.disconnect()
        self.next("disconnect")

    def resume(self) -> None:
        self._connect()
        self.next("connect")

    def cut(self) -> None:
        self._client.eio.ws.sock.shutdown(socket.SHUT_RDWR)
        self.next("disconnect")

    def close(self) -> None:
        self._client.shutdown()
        for opened in self._opened:
            opened.shutdown()

    def _note(self, event: str, *args: Any) -> None:
        self._opened += [self._client.eio.ws] if self._client.eio.ws else []
        self._happened.put((event, list(args)))

    def _connect(self) -> None:
        try:
            self._client.connect(self._url, auth=self._auth, transports=["websocket"], wait_timeout=_WITHIN)
        except socketio.exceptions.ConnectionError:
            return  # it is told by connect_error

    def _auth(self) -> dict[str, str]:
        return {"token": self._token} | ({"since": self._since} if self._since else {})

    def _told(self, event: str, *args: Any) -> None:
        if event == "notification:new":
            self._since = args[1]["id"]
        self._happened.put((event, list(args)))
