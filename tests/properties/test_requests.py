"""Whatever a running server is asked, it answers as its OpenAPI document says; and a client made from that works."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from notify_server.bootstrap import build_services
from notify_server.config import Config
from notify_server.storage import migrations
from scripts.fuzzing import client
from scripts.fuzzing.requests import Caller, callers, send
from tests.processes.web_server import SECRET, WebServer

UNLIMITED = dict.fromkeys(("NOTIFY_RATE_SERVER", "NOTIFY_RATE_USER", "NOTIFY_RATE_REFUSED"), "0")
EXAMPLES, SEED = 2, 1  # for each route and caller; scripts/fuzz sends many more
OFTEN = {"server token", "user token", "no token"}  # and scripts/fuzz has more callers


class Server:
    """A running server, and tokens for it."""

    def __init__(self, web: WebServer, config: Config, database) -> None:
        self.web = web
        self.url = f"http://127.0.0.1:{web.port}"
        services = build_services(config, database)
        self.token = services.server_tokens.create("backend", [])
        self.spare = services.server_tokens.create("spare", [])
        self.user_token = web.call("POST", "/v1/users/u1/tokens", self.token)[1]["token"]


@pytest.fixture
def server(bare_database, mongodb_uri: str, tmp_path: Path) -> Iterator[Server]:
    migrations.run(bare_database)
    web = WebServer(tmp_path, mongodb_uri, bare_database.name, NOTIFY_WEB_PROCESSES="2", **UNLIMITED)
    try:
        web.await_ready()
        yield Server(
            web, Config(mongodb_uri=mongodb_uri, database=bare_database.name, jwt_secret=SECRET), bare_database
        )
    finally:
        web.stop()


def test_every_answer_to_made_up_requests_is_as_documented(server, tmp_path):
    everyone = callers(server.token, server.spare, server.user_token)
    found = [
        send(server.url, caller, tmp_path, examples=EXAMPLES, phases="examples,fuzzing", seed=SEED)
        for caller in everyone
        if caller.name in OFTEN
    ]
    assert [one.report for one in found if not one.sound] == []
    assert [one.requests > 0 for one in found] == [True] * len(OFTEN)
    assert [line for line in server.web.log() if "exception" in line] == []


class Unfaithful(BaseHTTPRequestHandler):
    """Promises 200 for its one route, and answers something else."""

    def do_GET(self):
        answers = {"200": {"description": "OK"}}
        path = {"get": {"responses": answers}}
        document = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/thing": path}}
        self.send_response(200 if self.path == "/openapi.json" else 204)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        if self.path == "/openapi.json":
            self.wfile.write(json.dumps(document).encode())

    def log_message(self, *_):
        pass


def test_an_answer_that_is_not_as_documented_is_found(tmp_path):
    with ThreadingHTTPServer(("127.0.0.1", 0), Unfaithful) as unfaithful:
        thread = Thread(target=unfaithful.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{unfaithful.server_port}"
        found = send(url, Caller("anyone", None), tmp_path, examples=EXAMPLES, phases="fuzzing", seed=SEED)
        unfaithful.shutdown()
        thread.join()
    assert found.requests > 0
    assert not found.sound
    assert "Undocumented status code" in found.report


def test_a_generated_client_accepts_lists_and_reads(server, tmp_path):
    warned = client.generate(server.url, tmp_path)
    exports = ("GET /v1/users/{user_id}/export", "GET /v1/registry/export")
    assert warned.count("WARNING parsing") == len(exports)
    assert all(export in warned for export in exports)  # NDJSON has no model
    found = client.exercise(server.url, tmp_path, server.token, server.user_token, "u1")
    assert found["accepted"].state == "accepted"
    assert [one.id for one in found["listed"].notifications] == [found["accepted"].id]
    assert found["shown"].message.title == "Generated"
    assert found["entries"].entries == []  # no worker runs
    assert found["subscriptions"].muted.groups == []
    assert found["refused"].status == 401
