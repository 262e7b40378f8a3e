"""Somebody else who issues user tokens: key pairs, and an HTTP endpoint that publishes their key set."""

import hmac
import json
import threading
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

ISSUER, AUDIENCE = "https://issuer.example", "app"


class KeyPair:
    """A key pair with its id; `algorithm` is RS256 or ES256."""

    def __init__(self, kid: str, algorithm: str, bits: int = 2048) -> None:
        self.kid = kid
        self.algorithm = algorithm
        self.private: Any = (
            rsa.generate_private_key(65537, bits) if algorithm == "RS256" else ec.generate_private_key(ec.SECP256R1())
        )

    @property
    def public(self) -> dict[str, Any]:
        """As a key set has it."""
        form = RSAAlgorithm if self.algorithm == "RS256" else ECAlgorithm
        return {
            **form.to_jwk(self.private.public_key(), as_dict=True),
            "kid": self.kid,
            "use": "sig",
            "alg": self.algorithm,
        }

    @property
    def pem(self) -> bytes:
        """The public key, as anybody can get it."""
        return bytes(self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    def sign(self, headers: dict[str, Any] | None = None, **changed: Any) -> str:
        """A token of this issuer; a claim or header that is None is left out."""
        made = {"kid": self.kid} | (headers or {})
        return jwt.encode(claims(**changed), self.private, self.algorithm, {k: v for k, v in made.items() if v})


@cache
def key_pair(kid: str, algorithm: str) -> KeyPair:
    """One of each is enough: making them takes long."""
    return KeyPair(kid, algorithm)


def claims(**changed: Any) -> dict[str, Any]:
    """Good claims, but for what is changed; None leaves one out."""
    now = changed.pop("now", None) or datetime.now(UTC)
    good = {"sub": "u1", "iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + timedelta(hours=1)}
    return {name: value for name, value in (good | changed).items() if value is not None}


def segment(value: Any) -> str:
    """One part of a token, of JSON or of bytes."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(data).decode().rstrip("=")


def with_secret(header: Any, payload: Any, secret: bytes) -> str:
    """A token as no library makes it, with a good HS256 signature."""
    signing_input = f"{segment(header)}.{segment(payload)}"
    return f"{signing_input}.{segment(hmac.digest(secret, signing_input.encode(), sha256))}"


class KeyIssuer:
    """Publishes `keys` over HTTP on this machine, counts the requests, and answers otherwise if told to."""

    def __init__(self, *keys: KeyPair) -> None:
        self.keys = list(keys)
        self.status = 200
        self.body: bytes | None = None  # in place of the key set
        self.open = threading.Event()  # while it is not set, requests wait
        self.open.set()
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/keys"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def document(self) -> dict[str, Any]:
        """The key set."""
        return {"keys": [key.public for key in self.keys]}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                issuer.open.wait(30)
                body = json.dumps(issuer.document()).encode() if issuer.body is None else issuer.body
                self.send_response(issuer.status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    return  # who asked has gone

            def log_message(self, *_: Any) -> None:
                """Be silent."""

        return Handler

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.open.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
