from dataclasses import replace
from ipaddress import ip_network

import pytest

from notify_server.api import auditing, guards
from notify_server.api.app import create_app
from notify_server.api.blueprint import Routes
from notify_server.bootstrap import build_services
from notify_server.errors import DatabaseUnavailable
from tests.api.caller import Caller, refused
from tests.api.conftest import SECRET
from tests.api.matrix import ROUTES, USER, T
from tests.api.test_matrix import house  # noqa: F401 - a fixture
from tests.services.interruption import Interrupted

TARGET = "a-target-that-nobody-may-see"


def changing(app):
    """Every route that changes something, as the matrix of the guards calls it."""
    adapter = app.url_map.bind("localhost")
    for (method, path), (needed, body) in ROUTES.items():
        endpoint, _ = adapter.match(path, method)
        if method not in auditing.READING:
            yield method, path, needed, body, endpoint


def test_every_change_has_a_line_or_is_recorded_elsewhere(app, backend, device_of, house, database):  # noqa: F811
    for method, path, needed, body, endpoint in changing(app):
        database["audit"].delete_many({})
        (device_of("u1") if needed is USER else backend)(method, path, **({"json": body} if body else {}))
        lines = list(database["audit"].find())
        assert [line["action"] for line in lines] == ([] if endpoint in auditing.RECORDED else [endpoint])
        assert all(line["status"] and line["address"] == "127.0.0.1" for line in lines)


def test_reading_leaves_no_line(app, backend, house, database):  # noqa: F811
    database["audit"].delete_many({})
    for (method, path), (needed, _) in ROUTES.items():
        if method == "GET" and needed is not USER:
            backend.get(path)
    assert database["audit"].count_documents({}) == 0


def test_who_is_not_let_in_leaves_no_line(app, caller, database):
    for method, path, _, body, _ in changing(app):
        caller("nobody")(method, path, **({"json": body} if body else {}))
    assert database["audit"].count_documents({}) == 0


def test_a_line_names_fields_and_holds_no_value(backend, device_of, database):
    device_of("u1").put("/v1/me/devices/d1", {"platform": "ios", "token": TARGET})
    backend.put("/v1/users/u1", {"email": "u1@example.org"})
    backend.put("/v1/groups/g1", {"members": ["u1", "u2"]})
    token = backend.post("/v1/tokens", {"name": "another", "scopes": ["send"]}).json
    lines = list(database["audit"].find().sort("_id", 1))
    assert [line["fields"] for line in lines] == [["platform", "token"], ["email"], ["members"], ["name", "scopes"]]
    assert [line["object"]["id"] for line in lines] == ["d1", "u1", "g1", token["id"]]
    assert lines[3]["object"]["kind"] == "token"
    for value in (TARGET, "u1@example.org", "another", token["token"], "u2"):
        assert value not in str(lines)


def test_what_is_refused_by_its_body_leaves_no_line_and_what_is_refused_later_does(backend, database):
    refused(backend.put("/v1/users/u1", {"unknown": 1}), 422, "unknown")
    assert database["audit"].count_documents({}) == 0
    refused(backend.delete(f"/v1/tokens/{T}"), 404)
    assert [line["status"] for line in database["audit"].find()] == [404]


def test_the_address_is_what_a_trusted_proxy_says(config, services, backend, database, contract):
    app = create_app(replace(config, trusted_proxies=(ip_network("127.0.0.1"),)), services)
    proxied = Caller(app, contract, services.server_tokens.create("proxied", []))
    proxied.put("/v1/users/u1", {}, headers={"X-Forwarded-For": "192.0.2.7"})
    backend.put("/v1/users/u2", {}, headers={"X-Forwarded-For": "192.0.2.7"})
    assert [line["address"] for line in database["audit"].find().sort("_id", 1)] == ["192.0.2.7", "127.0.0.1"]


def test_where_the_line_cannot_be_written_nothing_is_changed(config, database, services, contract):
    class Cut(Interrupted):
        """The collection `audit` alone is away."""

        def __getitem__(self, name):
            return super().__getitem__(name) if name == "audit" else database[name]

    def away():
        raise DatabaseUnavailable("away")

    app = create_app(config, build_services(replace(config, jwt_secret=SECRET), Cut(database, 0, away)))
    answer = Caller(app, contract, services.server_tokens.create("backend", [])).put("/v1/users/u1", {})
    refused(answer, 503)
    assert database["users"].count_documents({}) == 0
    assert database["audit"].count_documents({}) == 0


def test_a_change_that_fails_has_a_line_that_says_so(config, services, contract, database):
    routes = Routes("broken", __name__)

    @routes.route("/broken", methods=["POST"])
    @guards.server("admin")
    @routes.response(204)
    def fail():
        raise ValueError("on the way")

    built = create_app(config, services)
    built.add_url_rule("/broken", "broken.fail", fail, methods=["POST"])
    answer = built.test_client().post(
        "/broken", headers={"Authorization": f"Bearer {services.server_tokens.create('b', [])}"}
    )
    refused(answer, 500)
    assert [(line["action"], line["status"]) for line in database["audit"].find()] == [("broken.fail", 500)]


@pytest.mark.parametrize("endpoint", auditing.RECORDED)
def test_what_is_recorded_elsewhere_is_a_route(app, endpoint):
    assert endpoint in app.view_functions
