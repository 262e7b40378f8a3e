import gzip
import json
import socket
import threading
from collections.abc import Iterator

import pytest

from notify_server.channels.key_endpoint import MAX_BYTES, fetch
from notify_server.errors import KeysUnavailable
from tests.fcm_simulator import free_port
from tests.key_issuer import KeyIssuer, key_pair


@pytest.fixture
def issuer() -> Iterator[KeyIssuer]:
    with KeyIssuer(key_pair("e", "ES256")) as running:
        yield running


def test_the_key_set_is_fetched(issuer: KeyIssuer) -> None:
    assert fetch(issuer.url) == issuer.document()
    assert issuer.asked == ["/keys"]


@pytest.mark.parametrize("status", [201, 204, 301, 302, 401, 404, 500, 503])
def test_any_other_status_is_none_and_no_redirect_is_followed(issuer: KeyIssuer, status: int) -> None:
    issuer.status, issuer.body = status, b""
    with pytest.raises(KeysUnavailable):
        fetch(issuer.url)
    assert issuer.asked == ["/keys"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"\xff",
        b"[" * 100_000,
        b'"' + b"x" * MAX_BYTES + b'"',
        gzip.compress(json.dumps({"keys": []}).encode()),
    ],
    ids=["empty", "html", "no UTF-8", "deep", "large", "compressed"],
)
def test_what_is_no_key_set_or_too_large_is_refused(issuer: KeyIssuer, body: bytes) -> None:
    issuer.body = body
    with pytest.raises(KeysUnavailable):
        fetch(issuer.url)


def test_an_endpoint_that_does_not_answer_or_is_not_there_is_given_up(issuer: KeyIssuer) -> None:
    issuer.open.clear()
    for url in (issuer.url, f"http://127.0.0.1:{free_port()}/", "http://[::1", "http://a b/", "ftp://127.0.0.1/"):
        with pytest.raises(KeysUnavailable):
            fetch(url, 0.2)


def test_an_endpoint_that_answers_drop_by_drop_is_given_up() -> None:
    ended = threading.Event()

    def drip(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not ended.wait(0.05):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drip, args=(listening,))
        thread.start()
        try:
            with pytest.raises(KeysUnavailable, match="too slow"):
                fetch(f"http://127.0.0.1:{listening.getsockname()[1]}/", 0.5)
        finally:
            ended.set()
            thread.join()
