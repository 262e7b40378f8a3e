import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from notify_server.simulator.devices import Device, Devices, parse
from tests.fcm_simulator import SimulatorProcess, free_port

SENT = {"data": {"notification_id": "n1"}}


class _Api(ThreadingHTTPServer):
    """What a device talks to: it keeps the receipts and answers with the statuses given, the last one for ever."""

    def __init__(self, statuses: list[int], *, port: int = 0, rejected: tuple[Any, ...] = ()) -> None:
        self.received: list[tuple[str, str | None, dict[str, Any]]] = []
        self.statuses = statuses
        self.rejected = rejected
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: _Api

    def do_POST(self) -> None:
        (receipt,) = json.loads(self.rfile.read(int(self.headers["content-length"])))["receipts"]
        self.server.received.append((self.path, self.headers["authorization"], receipt))
        statuses = self.server.statuses
        status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        content = json.dumps({"accepted": 1, "rejected": list(self.server.rejected)}).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def serve() -> Iterator[Callable[..., _Api]]:
    running: list[tuple[_Api, threading.Thread]] = []

    def start(*statuses: int, **options: Any) -> _Api:
        api = _Api(list(statuses or (200,)), **options)
        thread = threading.Thread(target=api.serve_forever, args=(0.01,))
        thread.start()
        running.append((api, thread))
        return api

    yield start
    for api, thread in running:
        api.shutdown()
        thread.join()
        api.server_close()


def _device(api: str, **changes: Any) -> dict[str, Any]:
    return {"target": "t1", "api": api, "token": "user-1", "device_id": "d1", "received_after": 0.0, **changes}


def _settled(fcm: SimulatorProcess, reports: int) -> dict[str, Any]:
    """The only device, once it has made that many reports or given them up."""
    for _ in range(1000):
        (device,) = fcm.client.get("/_simulator/devices").json()
        if device["reported"] + device["failed"] >= reports:
            return dict(device)
        time.sleep(0.02)
    raise AssertionError(fcm.output)


def test_a_device_reports_received_then_read(fcm: SimulatorProcess, serve: Callable[..., _Api]) -> None:
    api = serve()
    fcm.devices([_device(f"{api.url}/", received_after=0, read_after=0.2)])
    fcm.send({"token": "t1", **SENT})
    assert _settled(fcm, 2)["reported"] == 2
    receipts = sorted((receipt for _, _, receipt in api.received), key=lambda receipt: str(receipt["at"]))
    assert [receipt["status"] for receipt in receipts] == ["received", "read"]
    for path, authorization, receipt in api.received:
        assert (path, authorization) == ("/v1/me/receipts", "Bearer user-1")
        assert (receipt["notification_id"], receipt["device_id"]) == ("n1", "d1")
        assert receipt["at"].endswith("+00:00")


def test_only_accepted_messages_for_its_target_reach_a_device(
    fcm: SimulatorProcess, serve: Callable[..., _Api]
) -> None:
    api, token = serve(), fcm.access_token()
    fcm.devices([_device(api.url)])
    fcm.send({"token": "t2", **SENT}, token=token)
    fcm.send({"token": "t1"}, token=token)
    fcm.send({"token": "t1", **SENT}, token=token, validate_only=True)
    fcm.behave(unavailable=1)
    fcm.send({"token": "t1", **SENT}, token=token)
    fcm.behave()
    fcm.send({"token": "t1", "data": {"notification_id": "n2"}}, token=token)
    _settled(fcm, 1)
    assert [receipt["notification_id"] for _, _, receipt in api.received] == ["n2"]


def test_a_device_tries_again_while_its_server_is_away(fcm: SimulatorProcess, serve: Callable[..., _Api]) -> None:
    port = free_port()
    fcm.devices([_device(f"http://127.0.0.1:{port}")])
    fcm.send({"token": "t1", **SENT})
    for _ in range(500):
        if "receipt_not_delivered" in fcm.output:
            break
        time.sleep(0.01)
    api = serve(503, 429, 200, port=port)
    assert _settled(fcm, 1)["reported"] == 1
    assert len(api.received) == 3


@pytest.mark.parametrize(("status", "rejected"), [(401, ()), (200, ({"index": 0, "error": "unknown"},))])
def test_a_refused_receipt_is_not_repeated(
    fcm: SimulatorProcess, serve: Callable[..., _Api], status: int, rejected: tuple[Any, ...]
) -> None:
    api = serve(status, rejected=rejected)
    fcm.devices([_device(api.url)])
    fcm.send({"token": "t1", **SENT})
    device = _settled(fcm, 1)
    assert (device["reported"], device["failed"], len(api.received)) == (0, 1, 1)


def test_the_token_of_a_device_is_nowhere_in_the_output(fcm: SimulatorProcess, serve: Callable[..., _Api]) -> None:
    api = serve(401)
    fcm.devices([_device(api.url, token="user-token-1")])
    fcm.send({"token": "t1", **SENT})
    _settled(fcm, 1)
    assert "user-token-1" not in fcm.output
    assert "user-token-1" not in repr(Device("t", "http://x", "user-token-1", "d", None, None))


def test_no_devices_are_false_and_some_are_true() -> None:
    devices = Devices()
    assert not devices
    devices.replace(parse([_device("http://127.0.0.1:1")]))
    assert devices
    devices.replace([])
    assert not devices
