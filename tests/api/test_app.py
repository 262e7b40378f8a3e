from dataclasses import replace

import pytest

from notify_server.api.app import create_app
from notify_server.bootstrap import build_services
from tests.api.caller import Caller, refused
from tests.api.contract import Contract
from tests.builders import at_once

PAYLOAD = {"message": {"title": "t"}, "users": ["u1"]}


def test_the_limit_of_a_body_is_the_configured_one(config, services):
    app = create_app(replace(config, max_body=1024), services)
    backend = Caller(app, Contract(app), services.server_tokens.create("t", []))
    assert backend.post("/v1/notifications", PAYLOAD).status_code == 202
    refused(backend.post("/v1/notifications", PAYLOAD | {"groups": ["g" * 100] * 11}), 413)


def test_two_applications_in_one_process_keep_apart(config, services, bare_database):
    first, second = create_app(config, services), create_app(config, build_services(config, bare_database))
    token = services.server_tokens.create("t", [])
    assert Caller(first, Contract(first), token).get("/v1/notifications").status_code == 200
    refused(Caller(second, Contract(second), token).get("/v1/notifications"), 401)


@pytest.mark.parametrize("path", ["/healthz", "/openapi.json", "/v1/notifications", "/v1/users/u1"])
def test_head_answers_like_get_without_a_body(app, backend, path):
    backend.put("/v1/users/u1", {})
    token = backend._headers
    head, get = (app.test_client().open(path, method=method, headers=token) for method in ("HEAD", "GET"))
    assert (head.status_code, head.data, head.content_type) == (get.status_code, b"", get.content_type)


def test_many_threads_are_served_at_once(backend, database):
    def post():
        return [backend.post("/v1/notifications", PAYLOAD).status_code for _ in range(10)]

    assert at_once(*[post] * 8) == [[202] * 10] * 8
    assert database["notifications"].count_documents({}) == 80
