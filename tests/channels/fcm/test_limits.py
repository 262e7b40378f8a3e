from typing import Any

import pytest

from notify_server.channels.fcm.limits import faults, payload_size
from notify_server.domain.notification import MAX_TTL, Message
from notify_server.simulator.limits import payload_size as simulators_size
from tests.channels.fcm.conftest import a_notification


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"message": Message("T", data={"from": "x"})}, "message.data.from"),
        ({"message": Message("T", data={"message_type": "x"})}, "message.data.message_type"),
        ({"message": Message("T", data={"google.c": "x"})}, "message.data.google.c"),
        ({"message": Message("T", data={"gcm.notification.title": "x"})}, "message.data.gcm.notification.title"),
        ({"message": Message("T", data={"notification_id": "x"})}, "message.data.notification_id"),
        ({"message": Message("T", data={"link": "x"})}, "message.data.link"),
        ({"message": Message("T", data={"category": "x"})}, "message.data.category"),
        ({"message": Message("T", image="ftp://x.org/i.png")}, "message.image"),
        ({"message": Message("T", image="https://")}, "message.image"),
        ({"message": Message("T", image="http://[")}, "message.image"),
        ({"message": Message("T\ud800")}, "message.title"),
        ({"message": Message(body="\udfff")}, "message.body"),
        ({"message": Message("T", link="\ud800")}, "message.link"),
        ({"message": Message("T", data={"k": "\ud800"})}, "message.data"),
        ({"ttl": -1}, "ttl"),
        ({"ttl": MAX_TTL + 1}, "ttl"),
    ],
)
def test_what_fcm_refuses_is_found_and_named(fields: dict[str, Any], path: str) -> None:
    assert list(faults(a_notification(**fields))) == [path]


def test_all_faults_are_found_at_once() -> None:
    message = Message("T", image="x", data={"from": "1", "gcm.x": "2"})
    assert set(faults(a_notification(message=message, ttl=-1))) == {
        "message.image",
        "message.data.from",
        "message.data.gcm.x",
        "ttl",
    }


@pytest.mark.parametrize("key", ["fromage", "googleplex", "gcmx", "From", "Link", "categories"])
def test_keys_that_only_resemble_reserved_ones_pass(key: str) -> None:
    assert faults(a_notification(message=Message("T", image="http://x.org/i", data={key: "v"}), ttl=0)) == {}


def test_a_size_is_counted_as_the_simulator_counts_it() -> None:
    wire = {
        "notification": {"title": "Grüße 👋", "body": 'a "quoted"\nline'},
        "data": {"notification_id": "n1", "ключ": "значение"},
        "android": {"priority": "high", "ttl": "60s", "notification": {"tag": "n1"}},
        "webpush": {"headers": {"TTL": "60"}, "notification": {"tag": "n1"}},
        "apns": {"headers": {"apns-priority": "5"}, "payload": {"aps": {"sound": "default"}}},
    }
    assert payload_size(wire) == simulators_size(wire)
    assert payload_size({"data": {"a": "é"}}) == len(b'{"a":"\xc3\xa9"}')
