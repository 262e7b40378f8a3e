import json
from datetime import UTC, datetime

import pytest

from notify_server.domain.audience import Recipient
from notify_server.storage.registry import Arrivals, Registry
from tests.api.caller import refused

PATH = "/api/realtime/internal/notify"
PAYLOAD = {"type": "seat", "seat": {"row": 7, "free": False}, "title": "Seat B7 is taken", "n": 1.5, "none": None}


def asked(**fields):
    return {"userIds": ["u1", "u2"], "payload": PAYLOAD} | fields


def test_a_payload_is_queued_as_a_notification_on_the_realtime_channel(backend):
    answer = backend.post(PATH, asked(options={"ttl": 60, "category": "seats"}))
    assert (answer.status_code, answer.json.keys(), answer.json["status"]) == (202, {"status", "id"}, "queued")
    shown = backend.get(f"/v1/notifications/{answer.json['id']}").json
    assert shown["payload"] == PAYLOAD
    assert (shown["channels"], shown["ttl"], shown["category"]) == (["realtime"], 60, "seats")
    assert shown["message"]["title"] == "Seat B7 is taken"
    assert shown["message"]["body"] is None


def test_the_inbox_shows_the_payload_beside_what_it_can_read_of_it(backend, device_of, database):
    identity = backend.post(PATH, asked()).json["id"]
    Registry(database).insert([Arrivals(identity, None, [Recipient("u1")])], datetime.now(UTC))
    item = device_of("u1").get(f"/v1/me/notifications/{identity}").json
    assert (item["title"], item["body"], item["payload"]) == ("Seat B7 is taken", None, PAYLOAD)


def test_the_same_key_and_payload_give_the_same_notification(backend, database):
    key = {"Idempotency-Key": "k"}
    first, again = (backend.post(PATH, asked(), headers=key).json for _ in range(2))
    assert first == again
    refused(backend.post(PATH, asked(payload={"other": 1}), headers=key), 409)
    assert database["notifications"].count_documents({}) == 1


def test_it_can_be_cancelled_like_any_other(backend):
    identity = backend.post(PATH, asked()).json["id"]
    assert backend.post(f"/v1/notifications/{identity}/cancel").json["state"] == "cancelled"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"userIds": []}, "userIds"),
        ({"userIds": [1]}, "userIds.0"),
        ({"userIds": ["a/b"]}, "userIds.0"),
        ({"userIds": [f"u{number}" for number in range(10_001)]}, "userIds"),
        ({"payload": []}, "payload"),
        ({"payload": "text"}, "payload"),
        ({"payload": None}, "payload"),
        ({"payload": {"text": "é" * 32_768}}, "payload"),
        ({"options": {"ttl": 0}}, "options.ttl"),
        ({"options": {"priority": "high"}}, "options.priority"),
        ({"users": ["u1"]}, "users"),
    ],
)
def test_what_is_wrong_is_named(backend, stored, changed, field):
    before = stored()
    refused(backend.post(PATH, asked(**changed)), 422, field)
    assert stored() == before


def test_nothing_is_wrong_with_the_most_that_is_allowed(backend):
    longest = {"text": "x" * (64 * 1024 - len(json.dumps({"text": ""}, separators=(",", ":"))))}
    users = [f"u{number}" for number in range(10_000)]
    assert backend.post(PATH, {"userIds": users, "payload": longest}).status_code == 202
    assert backend.post(PATH, asked(payload={})).status_code == 202


def test_only_a_server_token_with_the_scope_may(caller, device_of, services):
    refused(device_of("u1").post(PATH, asked()), 401)
    refused(caller(services.server_tokens.create("reader", ["read"])).post(PATH, asked()), 403)
