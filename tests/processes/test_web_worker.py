from collections.abc import Iterator
from typing import Any

import pytest

from tests.processes.web_server import WebServer, received

SECRET = b"nst_0_0123456789abcdef"


@pytest.fixture(scope="module")
def web(
    tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str, database_name: str, _migrated: Any
) -> Iterator[WebServer]:
    server = WebServer(tmp_path_factory.mktemp("worker"), mongodb_uri, database_name)
    server.await_ready()
    yield server
    server.stop()


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"X%d: x\r\n" % n for n in range(200)) + b"\r\n",
        b"GET / HTTP/1.1\r\nAuthorization : Bearer " + SECRET + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nAuthorization: Bearer " + SECRET + b"\0\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n ".replace(b"\r\n\r\n", b"\r\nContent-Length: -1\r\n\r\n"),
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
    ids=lambda request: repr(request[:30]),
)
def test_what_is_not_http_is_answered_with_a_problem_document(web, request_):
    with web.connected() as connection:
        connection.sendall(request_)
        status, problem = received(connection)
        assert connection.recv(100) == b""
    assert status == problem["status"] == 400
    assert problem.keys() == {"type", "title", "status", "detail"}
    assert web.call("GET", "/healthz")[0] == 200


def test_what_came_is_not_logged(web):
    with web.connected() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nAuthorization : Bearer " + SECRET + b"\r\n\r\n")
        received(connection)
    assert any(line["event"] == "request refused: not HTTP" for line in web.log())
    assert SECRET.decode() not in str(web.log())
