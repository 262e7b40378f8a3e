from typing import Any

import pytest

from notify_server.simulator import structure
from notify_server.simulator.schema import MESSAGE


def _faults(message: dict[str, Any]) -> list[tuple[str, str]]:
    return [(fault.field, fault.description) for fault in structure.violations(message, MESSAGE, "message")]


@pytest.mark.parametrize(
    ("message", "field", "description"),
    [
        ({"tokens": []}, "message", "Unknown name \"tokens\" at 'message': Cannot find field."),
        ({"android": {"x": 1}}, "message.android", "Unknown name \"x\" at 'message.android': Cannot find field."),
        (
            {"android": {"notification": {"light_settings": {"color": {"hue": 1}}}}},
            "message.android.notification.light_settings.color",
            "Cannot find field.",
        ),
        ({"data": {"a": "x", "b": 12}}, "message.data[1].value", "(TYPE_STRING), 12"),
        ({"data": {"a": None}}, "message.data[0].value", "(TYPE_STRING), null"),
        ({"data": []}, "message", "Proto field is not repeating, cannot start list."),
        ({"notification": "x"}, "message.notification", 'google.firebase.fcm.v1.Notification), "x"'),
        ({"notification": {"title": 1}}, "message.notification.title", "(TYPE_STRING), 1"),
        ({"android": {"ttl": "3600"}}, "message.android.ttl", "google.protobuf.Duration"),
        ({"android": {"ttl": 3600}}, "message.android.ttl", "google.protobuf.Duration"),
        ({"android": {"priority": "urgent"}}, "message.android.priority", "AndroidMessagePriority"),
        ({"android": {"direct_boot_ok": "yes"}}, "message.android.direct_boot_ok", "TYPE_BOOL"),
        ({"apns": {"headers": {"apns-priority": 5}}}, "message.apns.headers[0].value", "(TYPE_STRING), 5"),
        ({"apns": {"payload": "x"}}, "message.apns.payload", "google.protobuf.Struct"),
        (
            {"android": {"notification": {"vibrate_timings": ["1s", 2]}}},
            "message.android.notification.vibrate_timings[1]",
            "Duration",
        ),
        ({"android": {"collapse_key": "a", "collapseKey": "b"}}, "message.android", "Duplicate field"),
    ],
)
def test_a_fault_is_named_as_google_names_it(message: dict[str, Any], field: str, description: str) -> None:
    ((found, text),) = _faults(message)
    assert found == field
    assert description in text


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"notification": None, "android": {"ttl": None}},
        {"android": {"priority": "HIGH"}},
        {"android": {"priority": "normal", "ttl": "3.5s", "collapseKey": "c", "restrictedPackageName": "p"}},
        {"apns": {"headers": {}, "payload": {"aps": {"badge": 1}, "anything": [None]}}},
        {"webpush": {"notification": {"any": {"thing": 1}}}},
    ],
)
def test_what_the_schema_allows_has_no_fault(message: dict[str, Any]) -> None:
    assert _faults(message) == []


def test_every_fault_is_found_at_once() -> None:
    assert len(_faults({"x": 1, "android": {"y": 1, "ttl": 5}, "data": {"a": 1, "b": 2}})) == 5


def test_each_target_after_the_first_is_a_fault() -> None:
    message: dict[str, Any] = {"token": "a", "topic": "b", "fid": None, "condition": "c"}
    texts = [fault.description for fault in structure.second_target(message)]
    assert [text.rpartition(" ")[2] for text in texts] == ["'topic'", "'condition'"]
