from typing import Any

import pytest

from notify_server.simulator import limits


@pytest.mark.parametrize(
    ("message", "size"),
    [
        ({}, 0),
        ({"notification": {"title": "é"}}, len('{"title":"é"}'.encode())),
        ({"data": {"a": "b"}, "notification": {"body": "c"}}, len('{"a":"b"}{"body":"c"}')),
        ({"android": {"ttl": "5s", "notification": {"tag": "n"}, "data": {"a": "b"}}}, len('{"tag":"n"}{"a":"b"}')),
        ({"webpush": {"notification": {"x": 1}, "fcm_options": {"link": "https://x"}}}, len('{"x":1}')),
        ({"apns": {"headers": {"apns-priority": "5"}, "payload": {"aps": {}}}}, len('{"aps":{}}')),
    ],
)
def test_the_payload_is_what_the_device_gets(message: dict[str, Any], size: int) -> None:
    assert limits.payload_size(message) == size


@pytest.mark.parametrize(
    ("target_type", "limit"), [("token", 4096), ("fid", 4096), ("topic", 2048), ("condition", 2048)]
)
def test_a_payload_may_be_as_big_as_the_limit_and_no_bigger(target_type: str, limit: int) -> None:
    assert list(limits.too_big(limit, target_type)) == []
    assert [fault.field for fault in limits.too_big(limit + 1, target_type)] == ["message"]


@pytest.mark.parametrize(
    ("target_type", "value", "good"),
    [
        ("token", "cNf2---6Vs9:APA91b", True),
        ("token", "", False),
        ("token", "a b", False),
        ("fid", "a\n", False),
        ("topic", "news-1_%~.", True),
        ("topic", "/topics/news", False),
        ("topic", "", False),
        ("condition", "'a' in topics", True),
        ("condition", "'a' in topics && ('b' in topics || !('c' in topics))", True),
        ("condition", "'a' in topics &&", False),
        ("condition", "a in topics", False),
        ("condition", " || ".join(f"'t{number}' in topics" for number in range(6)), False),
    ],
)
def test_a_target_has_a_form(target_type: str, value: str, good: bool) -> None:
    assert (list(limits.bad_target(target_type, value)) == []) is good


@pytest.mark.parametrize("key", ["from", "message_type", "google.", "google.x", "gcm.x", "gcm.notification.title"])
@pytest.mark.parametrize("place", [(), ("android",), ("webpush",)])
def test_reserved_data_keys_are_refused_everywhere(key: str, place: tuple[str, ...]) -> None:
    message: dict[str, Any] = {"data": {"fine": "x", key: "x"}}
    for name in place:
        message = {name: message}
    (fault,) = limits.violations(message)
    assert fault.field == ".".join(("message", *place, "data"))
    assert key in fault.description


@pytest.mark.parametrize("key", ["From", "from_user", "message", "googleplex", "gcmx", "x.google.y"])
def test_keys_that_only_resemble_reserved_ones_are_fine(key: str) -> None:
    assert list(limits.violations({"data": {key: "x"}})) == []


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({"android": {"ttl": "2419201s"}}, "message.android.ttl"),
        ({"android": {"ttl": "-1s"}}, "message.android.ttl"),
        ({"android": {"notification": {"color": "red"}}}, "message.android.notification.color"),
        ({"apns": {"headers": {"apns-priority": "7"}}}, "message.apns.headers.apns-priority"),
        ({"apns": {"headers": {"apns-expiration": "soon"}}}, "message.apns.headers.apns-expiration"),
        ({"apns": {"headers": {"apns-collapse-id": "é" * 33}}}, "message.apns.headers.apns-collapse-id"),
        ({"webpush": {"fcmOptions": {"link": "http://x"}}}, "message.webpush.fcm_options.link"),
        ({"fcm_options": {"analytics_label": "a b"}}, "message.fcm_options.analytics_label"),
        ({"apns": {"fcmOptions": {"analyticsLabel": "x" * 51}}}, "message.apns.fcm_options.analytics_label"),
    ],
)
def test_what_fcm_refuses_is_named(message: dict[str, Any], field: str) -> None:
    assert [fault.field for fault in limits.violations(message)] == [field]


@pytest.mark.parametrize(
    "message",
    [
        {"android": {"ttl": "0s"}},
        {"android": {"ttl": "2419200s", "notification": {"color": "#00ffAA"}}},
        {"apns": {"headers": {"apns-priority": "10", "apns-expiration": "0", "apns-collapse-id": "x" * 64}}},
        {"webpush": {"fcm_options": {"link": "https://x"}}, "android": None},
    ],
)
def test_what_fcm_takes_is_taken(message: dict[str, Any]) -> None:
    assert list(limits.violations(message)) == []
