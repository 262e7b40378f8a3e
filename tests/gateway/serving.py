"""The sockets of a gateway, served by uvicorn within the test's process, and bare clients of them."""

import asyncio
import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

import httpx
import uvicorn
import uvloop
import websocket

from notify_server.bootstrap import build_engine, build_gateway, build_services
from notify_server.channels.fcm.transport import open_transport
from notify_server.config import Config
from notify_server.domain.batch import Rank
from notify_server.domain.notification import Audience, Channel, Message
from notify_server.gateway.closing import send_away
from notify_server.gateway.emitting import encoded
from notify_server.gateway.limits import limits_of
from notify_server.gateway.server import Channels
from notify_server.processes.websocket import settings
from notify_server.services.acceptance import Draft
from notify_server.services.clock import database_clock
from notify_server.services.user_tokens import LEEWAY, Signing, UserTokens
from notify_server.storage.documents import Store
from tests.fcm_simulator import free_port
from tests.service import until

_WITHIN = 10.0  # seconds
_QUERY = "/socket.io/?EIO=4&transport=websocket"


class Serving:
    """A gateway's sockets; its methods may be called from the test's thread."""

    def __init__(self, config: Config, database: Store) -> None:
        self.port = config.realtime_port
        self._config, self._database = config, database
        self.services = build_services(config, database)
        self._expansion = build_engine(config, database, open_transport(config)).expansion
        self._clients: list[Client] = []
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: uvloop.run(self._serve()))

    def start(self) -> None:
        self._thread.start()
        assert self._started.wait(_WITHIN)

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._gateway = build_gateway(self._config, self._database)
        self.channels = Channels(self._gateway, self._config.poll, limits_of(self._config))
        self._server = uvicorn.Server(settings(self._config, self.channels.door))
        serving = asyncio.create_task(self._server.serve())
        await self.channels.start()
        while not self._server.started:
            await asyncio.sleep(0.01)
        self._started.set()
        await serving
        await self.channels.stop(_WITHIN)

    def stop(self) -> None:
        for client in self._clients:
            client.drop()
        self._server.should_exit = True
        self._thread.join(_WITHIN)
        assert not self._thread.is_alive()

    def token(self, user: str) -> str:
        return self.services.user_tokens.mint(user)[0]

    def token_about_to_end(self, user: str, within: float) -> str:
        """One that has ended, and is still taken for so many seconds."""
        signing = Signing(self._config.jwt_secret, "notify-server", "notify-server", -LEEWAY)
        later = timedelta(seconds=within)
        clock = database_clock(self._database)
        return UserTokens(signing, lambda: clock() + later).mint(user)[0]

    def open(self, path: str = _QUERY, *, receive_buffer: int = 0, **options: Any) -> "Client":
        """Open a WebSocket. Raises websocket.WebSocketBadStatusException where the handshake is refused."""
        sockopt = ((socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer),) if receive_buffer else ()
        url = f"ws://127.0.0.1:{self.port}{path}"
        self._clients.append(Client(websocket.create_connection(url, timeout=_WITHIN, sockopt=sockopt, **options)))
        return self._clients[-1]

    def join(self, user: str, **options: Any) -> "Client":
        """Open a socket of a user."""
        client = self.open(**options)
        assert "sid" in client.connect(self.token(user))
        return client

    def emit(self, user: str, *arguments: Any) -> None:
        """Emit a notification:new to a user's sockets, as announcing does."""
        packet = encoded("notification:new", *arguments)

        async def emit() -> None:
            for each in self.channels.sockets.of(user):
                each.connection.put(packet)

        self._run(emit())

    def announce(self, user: str, *texts: str) -> list[str]:
        """Accept realtime payloads and expand them together, as web and worker do; returns their ids."""
        payloads = [json.dumps({"text": text}) for text in texts]
        drafts = [Draft(Message(), Audience((user,)), channels=(Channel.REALTIME,), payload=text) for text in payloads]
        ids = [self.services.acceptance.accept(draft, "test", None).id for draft in drafts]
        for load in self._expansion.together(self._expansion.claim(list(Rank), len(ids))):
            assert list(load) == []
        return ids

    def caught_up(self) -> None:
        """Wait until all that was announced is behind it."""
        self.loop.call_soon_threadsafe(self.channels.announcing.wake)
        until(lambda: self.channels.announcing.position == self._gateway.announcements.last(), "all announced")

    def send_away(self, spread: float) -> None:
        self._run(send_away(self.channels.door, spread, Random(1)))  # noqa: S311 - the same each time

    def open_connections(self) -> int:
        return len(self.channels.door.connections)

    def metric(self, name: str) -> float:
        """The value of a metric, labels and all; 0 where it is not there."""
        lines = httpx.get(f"http://127.0.0.1:{self.port}/metrics").text.splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if line.rpartition(" ")[0] == name), 0.0)

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(_WITHIN)


@contextmanager
def serving(config: Config, database: Store) -> Iterator[Serving]:
    """One on a free port. `config` has a secret for user tokens, and the limits to be held."""
    object.__setattr__(config, "realtime_port", free_port())
    served = Serving(config, database)
    served.start()
    yield served
    served.stop()


@dataclass
class Client:
    """A bare WebSocket that speaks Engine.IO and Socket.IO by hand."""

    socket: websocket.WebSocket

    def send(self, text: str) -> None:
        self.socket.send(text)

    def next(self) -> str:
        """The next text; pings are answered. Raises Closed."""
        while True:
            opcode, data = self.socket.recv_data()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                code = struct.unpack("!H", data[:2])[0] if data else 0
                raise Closed(code, data[2:].decode())
            text = data.decode()
            if text != "2":
                return text
            self.send("3")

    def connect(self, token: object, **auth: str) -> Any:
        """Connect to the namespace; its answer: `{"sid": …}`, or the error."""
        assert self.next().startswith("0")
        self.send("40" + json.dumps({"token": token} | auth))
        return json.loads(self.next()[2:])

    def call(self, number: int, *event: object) -> Any:
        """Emit, and wait for the acknowledgement."""
        self.send(f"42{number}{json.dumps(event)}")
        answer = self.next()
        assert answer.startswith(f"43{number}["), answer
        return json.loads(answer[len(f"43{number}") :])[0]

    def events(self) -> list[Any]:
        """All events until the close. Raises Closed without them where one is not an event."""
        found = []
        try:
            while True:
                text = self.next()
                assert text.startswith("42"), text
                found.append(json.loads(text[2:]))
        except Closed as closed:
            return [*found, closed]

    def close(self) -> None:
        """Hang up as the protocol has it."""
        self.socket.close(timeout=1)

    def drop(self) -> None:
        """Be gone."""
        self.socket.shutdown()


class Closed(Exception):
    """The server closed, with a code and a reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code, self.reason = code, reason


def gone(served: Serving, connections: int = 0) -> None:
    """Wait until the gateway has at most so many connections."""
    until(lambda: served.open_connections() <= connections, "connections end", _WITHIN)
