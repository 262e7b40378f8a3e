"""The simulator as an RSGI application: which request goes where, and how an answer goes out."""

import asyncio
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from granian.rsgi import ProtocolClosed, ProtocolError  # type: ignore[attr-defined] # not in __all__

from notify_server.errors import InvalidInput
from notify_server.simulator import control
from notify_server.simulator.answers import Answer, error
from notify_server.simulator.connections import sever
from notify_server.simulator.outcomes import Drop
from notify_server.simulator.sending import Sending
from notify_server.simulator.simulation import Simulation

if TYPE_CHECKING:
    from granian.rsgi import HTTPProtocol, Scope  # type: ignore[attr-defined] # not in __all__

_CHUNK = 1000  # rows
_NDJSON = [("content-type", "application/x-ndjson")]
_PREFIX, _SUFFIX = "/v1/projects/", "/messages:send"
_NOT_FOUND = error(404, "NOT_FOUND", "Requested entity was not found.")
_ONLY_POST = error(405, "METHOD_NOT_ALLOWED", "The method must be POST.").with_header("allow", "POST")
_INTERIM = 103  # RFC 8297


class App:
    """Serves one Simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._sending = Sending(simulation)

    async def __rsgi__(self, scope: "Scope", proto: "HTTPProtocol") -> None:
        """Answer one request, or break its connection."""
        with suppress(ProtocolClosed, ProtocolError):  # the client is gone
            body = await proto()
            path = scope.path
            if path.startswith(_PREFIX) and path.endswith(_SUFFIX):
                await self._send(scope, proto, body, path[len(_PREFIX) : -len(_SUFFIX)])
            elif path == "/_simulator/messages" and scope.method == "GET":
                await self._rows(scope, proto)
            else:
                _reply(proto, self._other(scope.method, path, body))

    async def _send(self, scope: "Scope", proto: "HTTPProtocol", body: bytes, project: str) -> None:
        if scope.method != "POST":
            _reply(proto, _ONLY_POST)
            return
        answer = await self._sending.send(body, scope.headers.get("authorization"), project)
        if isinstance(answer, Answer):
            _reply(proto, answer)
        else:
            _break(scope, proto, answer)

    def _other(self, method: str, path: str, body: bytes) -> Answer:
        if path.startswith("/_simulator/"):
            return control.answer(self._simulation, method, path, body)
        if path != "/token":
            return _NOT_FOUND
        return self._simulation.grant(body) if method == "POST" else _ONLY_POST

    async def _rows(self, scope: "Scope", proto: "HTTPProtocol") -> None:
        try:
            rows = control.rows(self._simulation, scope.query_string)
        except InvalidInput as fault:
            _reply(proto, control.problem(fault.status, fault.title, fault.errors))
            return
        transport = proto.response_stream(200, _NDJSON)
        while chunk := b"".join(islice(rows, _CHUNK)):
            await transport.send_bytes(chunk)
            await asyncio.sleep(0)  # let others have their turn


def _reply(proto: "HTTPProtocol", answer: Answer) -> None:
    proto.response_bytes(answer.status, list(answer.headers), answer.body)


def _break(scope: "Scope", proto: "HTTPProtocol", drop: Drop) -> None:
    """Withhold the answer.

    Granian cannot reset a stream. An interim status that ends the stream comes to the same: the response is
    malformed, and the client must treat it as a stream error (RFC 9113 section 8.1).
    """
    if drop is Drop.STREAM and scope.http_version == "2":
        proto.response_empty(_INTERIM, [])
    else:
        sever(scope.client)
