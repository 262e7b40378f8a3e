"""The FCM simulator for tests: a real process, reached over real HTTP/2.

with SimulatorProcess() as fcm:
    fcm.behave(unavailable=0.2, retry_after={"unavailable": 2})
    …                                  # send to fcm.url with fcm.credentials_file, trusting fcm.ca_file
    assert fcm.counts()["accepted"] == 1
    assert fcm.messages(outcome="accepted")[0]["target"] == "t1"
    fcm.clear()                        # forgets messages, not the behaviour
"""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import jwt

from notify_server.simulator.tokens import GRANT_TYPE, SCOPES

START_SECONDS = 20.0
STOP_SECONDS = 10.0


def free_port() -> int:
    """A TCP port of the loopback address that nobody listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class SimulatorProcess:
    """A running simulator; use it as a context manager, or call stop().

    url: the endpoint, https://127.0.0.1:{port}. ca_file: whom to trust. credentials_file: a service account whose
    token_uri points here. project: the only project it knows. client: an httpx client on `url`, HTTP/2, safe to use
    from many threads. pid: of the one process. `port` lets a simulator come back where another one died; with the
    same `directory` it shows the same certificate.
    """

    def __init__(self, project: str = "demo-notify", *, port: int | None = None, directory: Path | None = None) -> None:
        self.project = project
        self._own = tempfile.TemporaryDirectory(prefix="fcm-simulator-") if directory is None else None
        self.directory = directory if self._own is None else Path(self._own.name)
        assert self.directory is not None
        self.ca_file = self.directory / "ca.pem"
        self.credentials_file = self.directory / "service-account.json"
        self._start(port)

    def _start(self, port: int | None) -> None:
        for _ in range(1 if port else 3):  # another process may take a free port before the simulator does
            self.port = port or free_port()
            self.url = f"https://127.0.0.1:{self.port}"
            self._process = self._spawn()
            if self._ready():
                return
            output = self.output
            self.kill()
        raise AssertionError(f"no simulator on port {self.port}: {output}")

    def _spawn(self) -> subprocess.Popen[bytes]:
        assert self.directory is not None
        self.directory.mkdir(parents=True, exist_ok=True)
        self._log_file = self.directory / "log.txt"
        command = [sys.executable, "-m", "notify_server.simulator", "--port", str(self.port)]
        with self._log_file.open("wb") as output:
            return subprocess.Popen(
                [*command, "--directory", str(self.directory), "--project", self.project],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )

    def _ready(self) -> bool:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if b"simulator_started" in self._log_file.read_bytes():
                self.client = self.new_client()
                return self._answers(deadline)
            time.sleep(0.01)
        return False

    def _answers(self, deadline: float) -> bool:
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                return self.client.get("/_simulator/counts").is_success
            except httpx.TransportError:
                time.sleep(0.01)
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The id of the simulator's only process."""
        return self._process.pid

    @property
    def output(self) -> str:
        """What it has written to stdout and stderr so far."""
        return self._log_file.read_text()

    def new_client(self, *, http2: bool = True) -> httpx.Client:
        """Another client like `client`; the caller closes it."""
        trust = ssl.create_default_context(cafile=str(self.ca_file))
        return httpx.Client(base_url=self.url, http2=http2, verify=trust, timeout=30.0)

    def behave(self, **behaviour: Any) -> None:
        """Replace the whole behaviour (see behaviour.py); without arguments, behave well."""
        self._control("PUT", "behaviour", behaviour)

    def messages(self, *, outcome: str | None = None, target_prefix: str | None = None) -> list[dict[str, Any]]:
        """The log, oldest first: at, target, type, message, name, outcome, answered."""
        narrowed = {"outcome": outcome, "target_prefix": target_prefix}
        answer = self.client.get(
            "/_simulator/messages", params={name: value for name, value in narrowed.items() if value is not None}
        )
        assert answer.is_success, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]

    def counts(self) -> dict[str, Any]:
        """requests, accepted, by_outcome, targets, duplicates, unanswered, retry_after_violations, first_at, …"""
        counts: dict[str, Any] = self._control("GET", "counts").json()
        return counts

    def retry_after_violations(self) -> list[dict[str, Any]]:
        """Each send that came before its Retry-After was over: target, early_by in seconds (the first 1,000)."""
        listed: list[dict[str, Any]] = self._control("GET", "retry-after-violations").json()
        return listed

    def clear(self) -> None:
        """Forget messages, counts and which targets are unregistered; the behaviour stays."""
        self._control("DELETE", "messages")

    def devices(self, devices: list[dict[str, Any]]) -> None:
        """Simulate these devices and no others: target, api, token, device_id, received_after, read_after."""
        self._control("PUT", "devices", devices)

    def revoke_tokens(self) -> None:
        """Make every access token that was handed out worthless."""
        self._control("POST", "revoke-tokens")

    def access_token(self) -> str:
        """A fresh access token, got with the service account's key as google-auth does it."""
        account = json.loads(self.credentials_file.read_text())
        now = int(time.time())
        claims = {"iss": account["client_email"], "aud": account["token_uri"], "iat": now, "exp": now + 3600}
        assertion = jwt.encode({**claims, "scope": " ".join(sorted(SCOPES))}, account["private_key"], "RS256")
        answer = self.client.post("/token", data={"grant_type": GRANT_TYPE, "assertion": assertion})
        assert answer.is_success, answer.text
        token: str = answer.json()["access_token"]
        return token

    def send(self, message: Any, *, token: str | None = None, **request: Any) -> httpx.Response:
        """POST one message by hand. `request` are further fields beside `message`."""
        return self.client.post(
            f"/v1/projects/{self.project}/messages:send",
            json={"message": message, **request},
            headers={"authorization": f"Bearer {token or self.access_token()}"},
        )

    def stop(self) -> int:
        """Stop it with SIGTERM and wait; its exit code. Does nothing the second time."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """Kill it with SIGKILL, as a crash would, and wait. Its directory goes too, unless it was given."""
        return self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Let it stand still: whoever connects or sends waits for an answer, and gets none."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on, with what has come meanwhile."""
        os.kill(self._process.pid, signal.SIGCONT)

    def _control(self, method: str, name: str, content: Any = None) -> httpx.Response:
        answer = self.client.request(method, f"/_simulator/{name}", json=content)
        assert answer.is_success, answer.text
        return answer

    def _end(self, number: signal.Signals) -> int:
        if hasattr(self, "client"):
            self.client.close()
        if self._process.poll() is None:
            os.kill(self._process.pid, number)
        try:
            code = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"the simulator did not stop: {self.output}") from None
        self._clean()
        return code

    def _clean(self) -> None:
        if self._own is not None:
            self._own.cleanup()
