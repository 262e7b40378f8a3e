import contextlib
import http.client
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from bson import ObjectId

from notify_server.bootstrap import build_services
from notify_server.config import Config
from notify_server.domain.inbox import Place
from notify_server.storage.documents import Store
from tests.processes.web_server import WebServer, received

SECRET = b"nst_0_0123456789abcdef"


@pytest.fixture(scope="module")
def web(
    tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str, database_name: str, shared_database: Any
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


@pytest.fixture(scope="module")
def hasty(
    tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str, database_name: str, shared_database: Any
) -> Iterator[WebServer]:
    """A server of one process and two threads, that waits for nobody for long, with room for few."""
    server = WebServer(
        tmp_path_factory.mktemp("hasty"),
        mongodb_uri,
        database_name,
        NOTIFY_WEB_THREADS="2",
        NOTIFY_HEADER_TIMEOUT="1.5",
        NOTIFY_BODY_TIMEOUT="1.5",
        NOTIFY_WEB_CONNECTIONS="60",
    )
    server.await_ready()
    yield server
    server.stop()


@contextlib.contextmanager
def connections(server: WebServer, many: int) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(server.connected()) for _ in range(many)]


def is_closed(connection: socket.socket) -> bool:
    """Whether the server has hung up; answers that it sent before are read and dropped."""
    with contextlib.suppress(ConnectionError):
        while connection.recv(65536):
            pass
    return True


def dribble(lines: list[socket.socket], piece: bytes) -> list[socket.socket]:
    """Send one more piece on each line; returns those that are still up."""
    up = []
    for line in lines:
        with contextlib.suppress(ConnectionError):
            line.sendall(piece)
            up.append(line)
    return up


SLOW = {
    "nothing at all": (b"", b""),
    "a head (slowloris)": (b"GET /healthz HTTP/1.1\r\n", b"X: y\r\n"),
    "a request line": (b"G", b"E"),
    "a body": (b"POST /v1/notifications HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n", b"x"),
    "chunks": (b"POST /v1/notifications HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "the size of a chunk": (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
    "a trailer": (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
    "a go-ahead": (b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\nExpect: 100-continue\r\n\r\n", b""),
    "a body that is too large": (b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", b""),
    "half of a second request": (b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /h", b"e"),
}


@pytest.mark.parametrize(("begin", "piece"), SLOW.values(), ids=SLOW)
def test_fifty_clients_that_dribble_hold_back_nobody_and_are_let_go(hasty, begin, piece):
    with connections(hasty, 50) as lines:
        dribble(lines, begin)
        up = lines
        for _ in range(3):
            up = dribble(up, piece)
            assert hasty.call("GET", "/healthz") == (200, {"status": "alive"})
            time.sleep(0.05)
        assert len(up) == 50
        assert all(is_closed(line) for line in lines)


def test_fifty_clients_that_take_no_answer_hold_back_nobody_and_are_let_go(hasty):
    with connections(hasty, 50) as lines:
        for line in lines:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        dribble(lines, b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\n\r\n" * 20)
        for _ in range(5):
            assert hasty.call("GET", "/healthz") == (200, {"status": "alive"})
        while sum(line.get("stage") in {"stream", "flush"} for line in hasty.log()) < 50:
            time.sleep(0.05)


def test_clients_that_do_not_hang_up_after_their_answer_hold_back_nobody(hasty):
    with connections(hasty, 50) as lines:
        dribble(lines, b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        for line in lines:
            assert received(line)[0] == 200
        assert hasty.call("GET", "/healthz") == (200, {"status": "alive"})
        assert all(is_closed(line) for line in lines)


def test_of_too_many_connections_those_that_wait_longest_are_let_go(hasty):
    with connections(hasty, 100) as lines:
        assert hasty.call("GET", "/healthz") == (200, {"status": "alive"})
        assert is_closed(lines[0])


def test_large_answers_come_whole_to_a_client_that_takes_them_later(hasty):
    path = "/docs/swagger-ui-bundle.js"
    with hasty.connected() as line:
        line.sendall(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % path.encode() * 10)
        time.sleep(0.3)
        answers, sizes = line.makefile("rb"), []
        for _ in range(10):
            head = http.client.parse_headers(answers) if answers.readline().split()[1] == b"200" else {}
            sizes.append(len(answers.read(int(head["Content-Length"]))))
    assert sizes == [int(head["Content-Length"])] * 10
    assert sizes[0] > 1_000_000


ENTRIES, LONG = 2000, 4000  # entries of the user "long", and characters of each: 8 MB to export


@pytest.fixture
def export(database: Store) -> bytes:
    """A request for the export of somebody with a long history."""
    entries = [{"_id": {"n": ObjectId(), "u": "long"}, "inbox": Place.READ.value} for _ in range(ENTRIES)]
    database["registry"].insert_many([entry | {"text": "x" * LONG} for entry in entries])
    token = build_services(Config(), database).server_tokens.create("exporter", [])
    return f"GET /v1/users/long/export HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def closings(server: WebServer, **of: str) -> int:
    return sum(of.items() <= line.items() for line in server.log())


def asks(line: socket.socket, request: bytes) -> None:
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    line.sendall(request)


def is_whole(answer: http.client.HTTPResponse, begin: bytes = b"") -> bool:
    lines = (begin + answer.read()).splitlines()
    return json.loads(lines[-1]) == {"kind": "end", "records": {"entry": ENTRIES}} and len(lines) == ENTRIES + 2


def test_exports_that_nobody_reads_take_little_memory_no_thread_and_are_cut_off(hasty, export):
    [worker] = hasty.workers()
    before, closed = worker.memory_info().rss, closings(hasty, stage="stream")
    most = before
    with connections(hasty, 20) as lines:
        for line in lines:
            asks(line, export)
        while closings(hasty, stage="stream") < closed + len(lines):
            assert hasty.call("GET", "/healthz") == (200, {"status": "alive"})
            most = max(most, worker.memory_info().rss)
    assert most - before < len(lines) * ENTRIES * LONG / 2


def test_an_export_that_is_read_slowly_but_steadily_comes_whole_however_long_it_takes(hasty, export):
    begun, last = time.monotonic(), 0.0
    with hasty.connected() as line:
        asks(line, export)
        answer, text = http.client.HTTPResponse(line), b""
        answer.begin()
        while len(text) < 5_000_000:
            text += answer.read(100_000)
            last = time.monotonic() - begun
            time.sleep(0.05)
        assert last > 1.5  # longer than any one answer may take
        assert is_whole(answer, text)
        assert not answer.will_close
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert received(line) == (200, {"status": "alive"})


def test_what_is_held_for_slow_clients_is_bounded_together(web, export):
    event = "connection closed: too much is held for slow clients"
    with connections(web, 140) as lines:
        for line in lines:
            asks(line, export)
        web.await_log(event)
        with web.connected() as line:  # one that reads is not held back
            asks(line, export)
            answer = http.client.HTTPResponse(line)
            answer.begin()
            assert is_whole(answer)
    closed = [entry["held"] for entry in web.log() if entry["event"] == event]
    assert 0 < len(closed) < len(lines)
    assert max(closed) < 1_300_000


def test_an_export_that_breaks_off_does_not_end_as_a_whole_one(web, export, database):
    database["registry"].update_one({}, {"$set": {"text": database["registry"].find_one({})["_id"]["n"]}})  # no JSON
    with web.connected() as line:
        asks(line, export)
        answer = http.client.HTTPResponse(line)
        answer.begin()
        with pytest.raises(http.client.IncompleteRead):
            answer.read()
    web.await_log("answer broken off")


def test_requests_sent_at_once_are_answered_one_after_another(web):
    with web.connected() as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" * 3 + b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n")
        answers = line.makefile("rb")
        statuses = []
        for _ in range(4):
            statuses.append(int(answers.readline().split()[1]))
            length = 0
            while (header := answers.readline()) != b"\r\n":
                name, _, value = header.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            answers.read(length)
    assert statuses == [200, 200, 200, 404]


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 35\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: 0\r\nContent-Length: 35\r\n\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
        b"X: y\nContent-Length: 35\r\n\r\n",
        b"X: y\r\n Content-Length: 35\r\n\r\n",
        b"Content-Length : 35\r\n\r\n",
    ],
    ids=lambda framing: repr(framing[:40]),
)
def test_no_request_is_smuggled_behind_one_that_could_end_in_two_places(web, framing):
    with web.connected() as line:
        line.sendall(b"POST /healthz HTTP/1.1\r\nHost: a\r\n" + framing + b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
        text = b""
        with contextlib.suppress(ConnectionError):
            while more := line.recv(65536):
                text += more
    assert text.count(b"HTTP/1.1 ") <= 1
    assert b" 404 " not in text
