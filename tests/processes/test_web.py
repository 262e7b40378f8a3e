import contextlib
import http.client
import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from notify_server.bootstrap import build_services
from notify_server.domain.server_token import client_of
from notify_server.services.token_memory import FRESH
from tests.key_issuer import AUDIENCE, ISSUER, KeyIssuer, key_pair, with_secret
from tests.processes.web_server import SECRET, WebServer, received

PAYLOAD = {"message": {"title": "Private title", "body": "private body"}, "users": ["u1"]}


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str, database_name: str) -> Iterator[WebServer]:
    """A server of two processes that count metrics together, shared by the tests that leave it running."""
    directory = tmp_path_factory.mktemp("web")
    (directory / "metrics").mkdir()
    metrics = {"PROMETHEUS_MULTIPROC_DIR": str(directory / "metrics")}
    server = WebServer(directory, mongodb_uri, database_name, NOTIFY_WEB_PROCESSES="2", **metrics)
    yield server
    server.stop()


@pytest.fixture
def shared(web: WebServer, database: Any) -> WebServer:
    web.await_ready()
    return web


@pytest.fixture
def start(tmp_path: Path, config: Any, database: Any) -> Iterator[Callable[..., WebServer]]:
    """Starts a server of the test's own, and waits until it is ready."""
    with contextlib.ExitStack() as stack:

        def begin(**environment: str) -> WebServer:
            server = WebServer(tmp_path, config.mongodb_uri, config.database, **environment)
            stack.callback(server.stop)
            server.await_ready()
            return server

        yield begin


@pytest.fixture
def token(config, database):
    return build_services(config, database).server_tokens.create("test", [])


@contextlib.contextmanager
def half_a_request(server: WebServer, token: str) -> Iterator[tuple[socket.socket, bytes]]:
    """A connection on which the server has begun a request, and the rest of the body, for which it waits."""
    body = json.dumps(PAYLOAD).encode()
    head = (
        f"POST /v1/notifications HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    )
    with server.connected() as connection:
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body[:10])
        yield connection, body[10:]


def test_a_notification_goes_in_and_is_shown(shared, token):
    status, accepted = shared.call("POST", "/v1/notifications", token, PAYLOAD)
    assert status == 202
    status, shown = shared.call("GET", f"/v1/notifications/{accepted['id']}", token)
    assert (status, shown["message"]["title"]) == (200, "Private title")


def test_one_connection_serves_many_requests(shared):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", shared.port, timeout=30)) as connection:
        for _ in range(3):
            connection.request("GET", "/healthz")
            answer = connection.getresponse()
            assert (answer.status, json.loads(answer.read())) == (200, {"status": "alive"})


def test_a_body_that_is_too_large_is_answered_and_the_next_request_is_served(shared, token):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", shared.port, timeout=30)) as connection:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        for body, status in ((b'"' + b"x" * 10_000_000 + b'"', 413), (json.dumps(PAYLOAD).encode(), 202)):
            connection.request("POST", "/v1/notifications", body, headers)
            answer = connection.getresponse()
            assert (answer.status, answer.read()[:1]) == (status, b"{")


def test_a_chunked_body_is_read_and_bounded_too(shared, token):
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    whole = json.dumps(PAYLOAD).encode()
    for chunks, status in (([whole[:5], whole[5:]], 202), ([b" " * 1_000_000] * 10, 413)):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", shared.port, timeout=30)) as connection:
            connection.request("POST", "/v1/notifications", iter(chunks), headers, encode_chunked=True)
            assert connection.getresponse().status == status


def test_a_chunk_that_is_none_is_a_bad_request(shared, token):
    head = f"POST /v1/notifications HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {token}\r\n"
    with shared.connected() as connection:
        connection.sendall(f"{head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nno\r\n".encode())
        status, problem = received(connection)
    assert (status, problem["status"]) == (400, 400)


def test_a_client_that_leaves_in_mid_request_leaves_nothing(shared, token, database):
    with half_a_request(shared, token):
        pass
    assert shared.call("GET", "/v1/notifications", token) == (200, {"notifications": [], "next": None})


def test_an_error_that_nobody_foresaw_shows_no_traceback_but_logs_it(shared, token, database):
    _, accepted = shared.call("POST", "/v1/notifications", token, PAYLOAD)
    database["notifications"].update_one({}, {"$set": {"channels": ["pigeon"]}})
    status, problem = shared.call("GET", f"/v1/notifications/{accepted['id']}", token)
    assert (status, problem.keys()) == (500, {"type", "title", "status", "detail"})
    assert "pigeon" not in json.dumps(problem)
    assert any("pigeon" in line.get("exception", "") for line in shared.log())


def test_metrics_are_those_of_both_processes(shared, token):
    def accepted():
        _, text = shared.call("GET", "/metrics")
        lines = text.splitlines()
        families = [line for line in lines if line.startswith("# TYPE")]
        assert len(families) == len(set(families))
        assert len([line for line in lines if line.startswith("notify_queue_age_seconds")]) == 1
        counts = [line.split()[1] for line in lines if line.startswith("notify_notifications_accepted_total ")]
        return float(*counts) if counts else 0.0

    before = accepted()
    with ThreadPoolExecutor(10) as clients:
        list(clients.map(lambda _: shared.call("POST", "/v1/notifications", token, PAYLOAD), range(40)))
    assert {accepted() for _ in range(10)} == {before + 40}


def test_the_log_is_json_and_holds_no_token_and_no_message(shared, token):
    _, accepted = shared.call("POST", "/v1/notifications", token, PAYLOAD)
    _, minted = shared.call("POST", "/v1/users/u1/tokens", token)
    device = {"platform": "ios", "token": "very-secret-target"}
    assert shared.call("PUT", "/v1/me/devices/d1", minted["token"], device)[0] == 201
    assert shared.call("POST", "/v1/notifications", token, b"{ Private title")[0] == 400
    assert shared.call("POST", "/v1/notifications", token + "x", PAYLOAD)[0] == 401
    lines = shared.log()
    assert all(line.keys() >= {"event", "level", "timestamp", "process"} for line in lines)
    assert [line["client"] for line in lines if line.get("notification_id") == accepted["id"]] == [token.split("_")[1]]
    text = json.dumps(lines)
    for secret in (token.split("_", 2)[2], minted["token"], "very-secret-target", "Private title", "private body"):
        assert secret not in text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_lets_a_running_request_end(start, token, database, number):
    server = start()
    with half_a_request(server, token) as (connection, rest):
        server.signal(number)
        while server.listens():
            time.sleep(0.02)
        connection.sendall(rest)
        assert received(connection)[0] == 202
    assert server.process.wait(30) == 0
    assert database["notifications"].count_documents({}) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_second_signal_kills_what_still_runs(start, token, database, number):
    server = start()
    workers = server.workers()
    with half_a_request(server, token) as (connection, _):
        server.signal(number)
        while server.listens():
            time.sleep(0.02)
        assert server.process.poll() is None
        server.signal(number)
        assert server.process.wait(30) == 128 + number
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(100) == b""
    assert psutil.wait_procs(workers, 30)[1] == []
    assert database["notifications"].count_documents({}) == 0


def test_without_a_key_it_warns_mints_no_user_token_and_takes_none(start, token):
    forged = {"sub": "u1", "iss": "notify-server", "aud": "notify-server", "iat": 0, "exp": 2**40}
    server = start(NOTIFY_JWT_SECRET="")
    assert any(line["event"] == "user tokens are not configured" for line in server.log() if line["level"] == "warning")
    assert server.call("POST", "/v1/users/u1/tokens", token)[0] == 409
    for algorithm, secret in (("HS256", b""), ("HS256", SECRET.encode()), ("none", b"")):
        user_token = with_secret({"alg": algorithm}, forged, secret)
        status, problem = server.call("GET", "/v1/me/devices", user_token)
        assert (status, problem["detail"]) == (401, "User tokens are not configured.")
    assert server.call("POST", "/v1/notifications", token, PAYLOAD)[0] == 202


def test_a_revoked_token_is_refused_by_every_process_within_seconds(start, config, database, token):
    tokens = build_services(config, database).server_tokens
    servers = [start(), start()]  # each of one process, so that each is asked
    assert [server.call("GET", "/v1/notifications", token)[0] for server in servers] == [200, 200]
    tokens.revoke(client_of(token))
    time.sleep(FRESH.total_seconds() + 0.5)
    for _ in range(3):
        assert [server.call("GET", "/v1/notifications", token)[0] for server in servers] == [401, 401]


def test_the_keys_of_a_foreign_issuer_are_asked_for_once_by_a_process(start):
    with KeyIssuer(key_pair("e", "ES256")) as issuer:
        server = start(
            NOTIFY_JWT_SECRET="",
            NOTIFY_JWT_JWKS_URL=issuer.url,
            NOTIFY_JWT_JWKS_ISSUER=ISSUER,
            NOTIFY_JWT_JWKS_AUDIENCE=AUDIENCE,
        )
        user_token = issuer.keys[0].sign()
        for _ in range(3):
            assert server.call("GET", "/v1/me/devices", user_token) == (200, {"devices": []})
        assert issuer.asked == ["/keys"]
        assert user_token not in json.dumps(server.log())


def test_while_they_cannot_be_had_it_answers_that_it_cannot_tell(start):
    with KeyIssuer(key_pair("e", "ES256")) as issuer:
        issuer.status = 500
        server = start(NOTIFY_JWT_JWKS_URL=issuer.url)
        status, problem = server.call("GET", "/v1/me/devices", issuer.keys[0].sign())
        assert (status, problem["status"]) == (503, 503)


def test_a_signal_ends_the_wait_for_a_database_that_is_not_migrated(tmp_path, config):
    server = WebServer(tmp_path, config.mongodb_uri, "test_never_migrated")
    try:
        server.await_log("waiting for the database")
        server.signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
    finally:
        server.stop()


def test_an_address_that_is_not_ours_ends_it_with_an_error(tmp_path, config, database):
    server = WebServer(tmp_path, config.mongodb_uri, config.database, NOTIFY_HOST="192.0.2.1")
    try:
        assert server.process.wait(60) == 1
        assert any("192.0.2.1" in line["event"] for line in server.log())
    finally:
        server.stop()


def page(server: WebServer, path: str) -> tuple[int, str]:
    """Status and body of a page, or where it leads."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        connection.request("GET", path, headers={"Accept": "text/html"})
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Location") or answer.read().decode()


def test_the_console_hangs_beside_the_api(shared):
    assert page(shared, "/console/notifications") == (303, "/console/sign-in?back=/notifications")
    status, text = page(shared, "/console/sign-in")
    assert (status, "Server token" in text) == (200, True)
    assert shared.call("GET", "/consoles")[0] == 404


def test_the_console_can_be_turned_off(start):
    assert start(NOTIFY_CONSOLE="false").call("GET", "/console/sign-in")[0] == 404
