import json
import re
from dataclasses import replace

import pytest

from notify_server.api import guards
from notify_server.api.app import create_app
from notify_server.api.limits import LARGER, SMALL
from notify_server.bootstrap import build_services
from tests.api.caller import Caller, refused
from tests.api.contract import Contract

POLICY = re.compile(r'"(server|user|address)";q=[1-9]\d*;w=[1-9]\d*')
LIMIT = re.compile(r'"(server|user|address)";r=\d+;t=\d+')
NOT_TAKEN = 'application/vnd.api+json; charset="utf-8"'
PAYLOAD = {"message": {"title": "t"}, "users": ["u1"]}


@pytest.fixture
def limited(config, database):
    """Makes callers of an application with its own rates, which run full only slowly."""
    rates = {"rate_server": 3.0, "rate_user": 1.0, "rate_refused": 4.0, "web_processes": 1}

    def build(**changed):
        settings = replace(config, **(rates | changed))
        services = build_services(settings, database)
        app = create_app(settings, services)
        contract = Contract(app)
        return services, lambda token: Caller(app, contract, token)

    return build


def test_every_answer_of_a_guarded_route_says_how_the_caller_stands(services, app, backend, device_of, caller):
    confined = caller(services.server_tokens.create("confined", ["read"]))
    answers = {
        "server": [
            *(backend.get("/v1/notifications"), backend.get("/v1/users/none"), backend.put("/v1/users/%00", {})),
            *(confined.put("/v1/users/u1", {}), backend.get("/jsonapi/notifications", headers={"Accept": NOT_TAKEN})),
        ],
        "user": [device_of("u1").get("/v1/me/devices"), device_of("u1").put("/v1/me/devices/d", {})],
        "address": [caller("x").get("/v1/notifications"), caller("x").get("/v1/me/devices")],
    }
    for name, found in answers.items():
        for answer in found:
            assert POLICY.fullmatch(answer.headers["RateLimit-Policy"])[1] == name
            assert LIMIT.fullmatch(answer.headers["RateLimit"])[1] == name


def test_probes_are_not_counted(app):
    assert "RateLimit" not in app.test_client().get("/healthz").headers


def test_a_server_token_that_sends_too_much_is_told_to_wait_and_nothing_is_stored(limited, database):
    services, caller = limited()
    backend = caller(services.server_tokens.create("loud", []))
    answers = [backend.post("/v1/notifications", PAYLOAD) for _ in range(20)]
    assert {answer.status_code for answer in answers} == {202, 429}
    accepted = [answer for answer in answers if answer.status_code == 202]
    assert database["notifications"].count_documents({}) == len(accepted) < 20
    for answer in answers:
        if answer.status_code == 429:
            refused(answer, 429)
            assert int(answer.headers["Retry-After"]) == 1
            assert re.fullmatch(r'"server";r=0;t=\d+', answer.headers["RateLimit"])
    other = caller(services.server_tokens.create("quiet", []))
    assert other.post("/v1/notifications", PAYLOAD).status_code == 202


def test_what_its_scopes_do_not_allow_counts_too(limited):
    services, caller = limited()
    confined = caller(services.server_tokens.create("confined", ["read"]))
    statuses = [confined.put("/v1/users/u1", {}).status_code for _ in range(20)]
    assert statuses[0] == 403
    assert set(statuses) == {403, 429}
    refused(confined.get("/v1/notifications"), 429)


def test_a_user_that_calls_too_often_holds_back_nobody_else(limited):
    services, caller = limited()
    loud = caller(services.user_tokens.mint("loud")[0])
    assert 429 in {loud.get("/v1/me/devices").status_code for _ in range(20)}
    again = caller(services.user_tokens.mint("loud")[0])
    refused(again.get("/v1/me/devices"), 429)
    assert caller(services.user_tokens.mint("quiet")[0]).get("/v1/me/devices").status_code == 200
    assert caller(services.server_tokens.create("b", [])).get("/v1/users/loud").status_code == 404


def test_an_address_with_one_bad_token_after_another_is_told_to_wait_but_a_good_one_passes(limited):
    services, caller = limited()
    statuses = [caller(f"guess {n}").get("/v1/notifications").status_code for n in range(8)]
    assert statuses == [401] * 4 + [429] * 4
    answer = caller("guess").get("/v1/me/devices")
    refused(answer, 429)
    assert 1 <= int(answer.headers["Retry-After"]) <= 15
    assert caller(services.server_tokens.create("b", [])).get("/v1/notifications").status_code == 200
    assert caller(services.user_tokens.mint("u1")[0]).get("/v1/me/devices").status_code == 200


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [("2001:db8::1", "2001:db8::2", 429), ("2001:db8::1", "2001:db8:0:1::1", 401), ("192.0.2.1", "192.0.2.2", 401)],
)
def test_ipv6_addresses_of_one_network_count_together(limited, first, second, status):
    _, caller = limited()
    for _ in range(5):
        caller("x").get("/v1/notifications", environ_overrides={"REMOTE_ADDR": first})
    answer = caller("x").get("/v1/notifications", environ_overrides={"REMOTE_ADDR": second})
    assert answer.status_code == status


def test_a_limit_of_nothing_is_none(limited):
    services, caller = limited(rate_server=0, rate_user=0, rate_refused=0)
    backend = caller(services.server_tokens.create("b", []))
    for answer in [
        *(backend.get("/v1/notifications") for _ in range(20)),
        *(caller("x").get("/v1/me/devices") for _ in range(9)),
    ]:
        assert answer.status_code in {200, 401}
        assert "RateLimit" not in answer.headers


@pytest.mark.parametrize("chunked", [False, True])
def test_a_device_sends_no_large_bodies(app, contract, device_of, stored, chunked):
    before, phone = stored(), device_of("u1")
    options = (
        {"environ_overrides": {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}} if chunked else {}
    )
    larger = set()
    for endpoint, method, path in with_bodies_of_devices(app, contract):
        most = LARGER.get(endpoint, SMALL)
        larger.add(endpoint)
        is_jsonapi = path.startswith("/jsonapi/")
        media_type = "application/vnd.api+json" if is_jsonapi else "application/json"
        body = json.dumps({"platform": "x" * most}).encode()
        answer = phone(method, path, data=body, content_type=media_type, **options)
        assert answer.status_code == 413, (method, path)
        if not is_jsonapi:
            refused(answer, 413)
    assert larger > LARGER.keys()
    assert stored() == before


def with_bodies_of_devices(app, contract):
    """Endpoint, method and path of every route that takes a body from a user token."""
    for rule in app.url_map.iter_rules():
        if guards.guard_of(app, rule.endpoint) == guards.USER:
            path = rule.rule.replace("<notification_id>", "0" * 24).replace("<", "").replace(">", "")
            operations = contract.document["paths"][rule.rule.replace("<", "{").replace(">", "}")]
            for method in rule.methods - {"HEAD"}:
                if "requestBody" in operations[method.lower()]:
                    yield rule.endpoint, method, path


@pytest.mark.parametrize("name", ["ä" * 127, "\U0001f600" * 127])
def test_the_largest_choice_of_what_to_mark_as_read_fits(device_of, name):
    names = [f"{name}{chr(0x1F600 + n % 50)}" for n in range(1000)]
    body = {"groups": names, "categories": names, "before": "2026-12-01T09:00:00.000000+00:00"}
    assert device_of("u1").post("/v1/me/notifications/read", body).json == {"updated": 0}


def test_the_largest_report_of_receipts_fits(device_of):
    receipt = {"notification_id": "0" * 24, "status": "received", "at": "2026-12-01T09:00:00.000000+00:00"}
    body = {"receipts": [receipt | {"device_id": "d" * 128}] * 500}
    assert device_of("u1").post("/v1/me/receipts", body).status_code == 200


def test_429_and_the_headers_are_documented_on_every_guarded_route_and_no_other(app, contract):
    adapter = app.url_map.bind("localhost")
    for path, operations in contract.document["paths"].items():
        for method, operation in operations.items():
            if method == "parameters":
                continue
            guarded = guards.guard_of(app, adapter.match(path, method.upper())[0]).scheme is not None
            assert ("429" in operation["responses"]) is guarded
            for status, answer in operation["responses"].items():
                shown = {name for name in answer.get("headers", {}) if name.startswith(("RateLimit", "Retry"))}
                waits = {"Retry-After"} if status in {"429", "503"} else set()
                assert shown == ({"RateLimit", "RateLimit-Policy"} if guarded else set()) | waits
