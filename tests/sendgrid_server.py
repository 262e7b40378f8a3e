"""A stand-in for SendGrid's v3 API over HTTPS: a real server, which checks what SendGrid checks.

with SendgridServer(directory) as sendgrid:
    …                               # POST to sendgrid.url with sendgrid.key, trusting sendgrid.ca_file
    sendgrid.mails                  # the bodies it has accepted

body, headers = Signer().signed([{"event": "delivered", …}], at)    # a call of its Event Webhook

Recipients are treated by what their names say: `429@…`, `500@…`, `400@…` (their address is at fault), `413@…`,
`drop@…` (accepted, and hung up on before the answer), `slow@…`.
"""

import base64
import json
import re
import ssl
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, Self

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from notify_server.channels.mail.sendgrid_events import SIGNATURE, TIMESTAMP
from notify_server.simulator.certificates import ensure

_NEEDED = {"personalizations", "from", "subject", "content"}
_KNOWN = _NEEDED | {"reply_to", "attachments"}
_ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[a-z]+")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        owner = self.server.owner
        if self.headers["Authorization"] != f"Bearer {owner.key}":
            return self._answer(401, {"errors": [{"message": "bad key", "field": None}]})
        if self.path != "/v3/mail/send":
            return self._answer(404, {})
        if field := _fault(body):
            return self._answer(400, {"errors": [{"message": f"wrong: {body['subject']}", "field": field}]})
        return self._treat(body)

    def _treat(self, body: dict[str, Any]) -> None:
        owner = self.server.owner
        local = body["personalizations"][0]["to"][0]["email"].partition("@")[0]
        if local == "429":
            return self._answer(429, {}, owner.slow_down)
        if local in {"401", "403", "413", "500", "503"}:
            return self._answer(int(local), {})
        if local == "slow":
            time.sleep(0.5)
        owner.mails.append(body)
        owner.came(len(owner.mails))
        if local == "drop":
            self.close_connection = True
            return None
        return self._answer(202, None, {"X-Message-Id": f"S{len(owner.mails)}"})

    def _answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        written = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(written))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(written)

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    owner: "SendgridServer"
    daemon_threads = True


class Signer:
    """Signs events as SendGrid's Event Webhook does."""

    def __init__(self) -> None:
        self._signer = ec.generate_private_key(ec.SECP256R1())

    @property
    def webhook_key(self) -> str:
        """The verification key, as SendGrid shows it."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return base64.b64encode(self._signer.public_key().public_bytes(serialization.Encoding.DER, form)).decode()

    def signed(self, events: Sequence[dict[str, Any]] | bytes, at: datetime) -> tuple[bytes, dict[str, str]]:
        """The body and the headers of a webhook call made at `at`."""
        body = events if isinstance(events, bytes) else json.dumps(events).encode()
        timestamp = str(int(at.timestamp()))
        signature = self._signer.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        return body, {SIGNATURE: base64.b64encode(signature).decode(), TIMESTAMP: timestamp}


class SendgridServer:
    """Listens on a free port. `slow_down` are the headers of a 429; `came` is told the number of each mail."""

    def __init__(self, directory: Path) -> None:
        certificates = ensure(directory / "sendgrid-certificates", "localhost")
        self.ca_file = certificates.ca
        self.key = "SG.key-of-the-tests"
        self.mails: list[dict[str, Any]] = []
        self.slow_down = {"Retry-After": "7"}
        self.came: Callable[[int], None] = lambda _: None
        self._http = _Server(("127.0.0.1", 0), _Handler)
        self._http.owner = self
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.cert, certificates.key)
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self.url = f"https://localhost:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._http.serve_forever)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


def _fault(body: dict[str, Any]) -> str | None:
    """The first field that SendGrid would refuse."""
    if missing := _NEEDED - body.keys() or body.keys() - _KNOWN:
        return sorted(missing)[0]
    to = body["personalizations"][0]["to"][0]["email"]
    if not _ADDRESS.fullmatch(to) or to.startswith("400@"):
        return "personalizations.0.to.0.email"
    types = [part["type"] for part in body["content"]]
    return None if types in (["text/plain"], ["text/plain", "text/html"]) else "content"
