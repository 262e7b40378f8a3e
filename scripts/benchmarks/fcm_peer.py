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
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

from notify_server.simulator import certificates, service_account
from scripts.benchmarks.connect_proxy import FCM_HOST
from scripts.benchmarks.cores import on_last_core

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
    location / {{ return 200 '{{"name": "projects/{project}/messages/0:1234567890123456"}}'; }}
  }}
}}
"""


class FcmPeer:
    """A running stand-in on this machine, on another core than the first where there is one; `stop` ends it.

    endpoint, port, ca_file, project and credentials_file are what a client needs; `kind` is nginx or simulator.
    """

    def __init__(self, project: str = "demo-notify") -> None:
        self.project = project
        self.kind = "nginx" if shutil.which("nginx") else "simulator"
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

    def stop(self) -> None:
        """End it, wait, and remove its files."""
        self._process.terminate()
        self._process.wait()
        self._directory.cleanup()

    def _nginx(self, directory: Path) -> list[str]:
        settings = directory / "nginx.conf"
        settings.write_text(_NGINX.format(directory=directory, port=self.port, project=self.project))
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
            self._forget_messages()

    def _forget_messages(self) -> None:
        trust = ssl.create_default_context(cafile=str(self.ca_file))
        with closing(http.client.HTTPSConnection("127.0.0.1", self.port, context=trust)) as control:
            control.request("PUT", "/_simulator/behaviour", json.dumps({"log": False}))
            if control.getresponse().status != http.HTTPStatus.OK:
                raise RuntimeError("the simulator refused its behaviour")


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
