"""A stand-in for FCM that is fast enough to be measured against: nginx, or else the simulator without its log."""

import http.client
import json
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from notify_server.simulator import certificates, service_account
from scripts.benchmarks.connect_proxy import FCM_HOST
from scripts.benchmarks.cores import on_last_core
from scripts.benchmarks.late_answers import LateAnswers

_START_SECONDS = 20.0
_NGINX = """
worker_processes 1; daemon off; pid {directory}/nginx.pid; error_log {directory}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 1h; http2_max_concurrent_streams 100;
  client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl http2; ssl_certificate {directory}/cert.pem; ssl_certificate_key {directory}/key.pem;
    default_type application/json;
    location = /token {{ return 200 '{{"access_token": "static", "expires_in": 3600, "token_type": "Bearer"}}'; }}
    location / {{
      if ($late = "") {{ return 200 '{accepted}'; }}
      {late}
    }}
  }}
  {split}
}}
"""


@dataclass(frozen=True, slots=True)
class Late:
    """A part of the answers, and the seconds that they take."""

    share: float
    seconds: float


class FcmPeer:
    """A running stand-in on this machine, on another core than the first where there is one; `stop` ends it.

    endpoint, port, ca_file, project and credentials_file are what a client needs; `kind` is nginx or simulator.
    With `recording` it is the simulator with its log, whatever else there is: slower, but `messages` tells what came.
    """

    def __init__(self, project: str = "demo-notify", *, recording: bool = False, late: Late | None = None) -> None:
        self.project = project
        self._late = late
        self._waiting: LateAnswers | None = None
        self.kind = "nginx" if shutil.which("nginx") and not recording else "simulator"
        self._recording = recording
        self._directory = tempfile.TemporaryDirectory(prefix="fcm-peer-")
        directory = Path(self._directory.name)
        self.port = _free_port()
        self.endpoint = f"https://127.0.0.1:{self.port}"
        self.ca_file = certificates.ensure(directory, FCM_HOST).ca
        self.credentials_file = directory / "service-account.json"
        service_account.ensure(self.credentials_file, project, f"{self.endpoint}/token")
        command = self._nginx(directory) if self.kind == "nginx" else self._simulator(directory)
        self._process = subprocess.Popen([*on_last_core(), *command], stdout=subprocess.DEVNULL)
        self._await()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process that was started: nginx's master, or the simulator."""
        return self._process.pid

    def messages(self, target_prefix: str) -> list[dict[str, Any]]:
        """What came for targets with that prefix, oldest first, by a simulator's log (docs/simulator.md)."""
        lines = self._control("GET", f"messages?{urlencode({'target_prefix': target_prefix})}").splitlines()
        return [json.loads(line) for line in lines]

    @contextmanager
    def log(self) -> Iterator[Iterable[bytes]]:
        """The whole log as lines of JSON, one after the other: it may be larger than the memory."""
        with closing(self._connection()) as control:
            control.request("GET", "/_simulator/messages")
            yield _good(control.getresponse())

    def counts(self) -> dict[str, Any]:
        """The sums of a simulator."""
        found: dict[str, Any] = json.loads(self._control("GET", "counts"))
        return found

    def behave(self, **behaviour: Any) -> None:
        """Replace a simulator's behaviour."""
        self._control("PUT", "behaviour", json.dumps(behaviour))

    def _control(self, method: str, path: str, body: str | None = None) -> bytes:
        with closing(self._connection()) as control:
            control.request(method, f"/_simulator/{path}", body)
            return _good(control.getresponse()).read()

    def _connection(self) -> http.client.HTTPSConnection:
        trust = ssl.create_default_context(cafile=str(self.ca_file))
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=trust)

    def stop(self) -> None:
        """End it, wait, and remove its files."""
        self._process.terminate()
        self._process.wait()
        if self._waiting:
            self._waiting.stop()
        self._directory.cleanup()

    def _nginx(self, directory: Path) -> list[str]:
        settings = directory / "nginx.conf"
        accepted = json.dumps({"name": f"projects/{self.project}/messages/0:1234567890123456"})
        late, split = "", 'map "" $late {}'  # never
        if self._late:
            self._waiting = LateAnswers(accepted.encode(), self._late.seconds)
            late = f"proxy_pass http://127.0.0.1:{self._waiting.port};"
            split = f'split_clients $request_id $late {{ {100 * self._late.share}% 1; * ""; }}'
        known = {"directory": directory, "port": self.port, "accepted": accepted}
        settings.write_text(_NGINX.format(late=late, split=split, **known))
        return ["nginx", "-e", str(directory / "error.log"), "-c", str(settings)]

    def _simulator(self, directory: Path) -> list[str]:
        settings = ["--port", str(self.port), "--directory", str(directory), "--project", self.project]
        return [sys.executable, "-m", "notify_server.simulator", *settings]

    def _await(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not _listens(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"{self.kind} did not start")
            time.sleep(0.02)
        if self.kind == "simulator":
            late = {"stall_after": self._late.share, "stall_seconds": self._late.seconds} if self._late else {}
            self.behave(log=self._recording, **late)


def _good(answer: http.client.HTTPResponse) -> http.client.HTTPResponse:
    if answer.status != http.HTTPStatus.OK:
        raise RuntimeError(f"the simulator refused a control request: {answer.status}")
    return answer


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1.0).close()
    except OSError:
        return False
    return True
