import json
from typing import Any

import pytest

from notify_server.simulator.validation import CACHED, Reader, Request


def _read(content: Any) -> Request:
    return Reader().read(content if isinstance(content, bytes) else json.dumps(content).encode())


def _details(request: Request) -> dict[str, Any]:
    assert request.refusal is not None
    error: dict[str, Any] = json.loads(request.refusal.body)["error"]
    assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")
    return {detail["@type"].rpartition(".")[2]: detail for detail in error["details"]} | {"message": error["message"]}


@pytest.mark.parametrize("target_type", ["token", "fid", "topic", "condition"])
def test_the_target_is_told_apart_from_the_message(target_type: str) -> None:
    value = "'a' in topics" if target_type == "condition" else "a"
    request = _read({"message": {target_type: value, "data": {"notification_id": "n"}}})
    assert (request.target_type, request.target, request.refusal) == (target_type, value, None)
    assert json.loads(request.content.raw) == {"data": {"notification_id": "n"}}
    assert request.content.notification_id == "n"


def test_one_message_to_many_targets_is_kept_once() -> None:
    reader = Reader()
    contents = {id(reader.read(b'{"message":{"fid":"f%d","data":{"a":"b"}}}' % n).content) for n in range(100)}
    assert len(contents) == 1


def test_more_messages_than_are_remembered_are_read_as_well() -> None:
    reader = Reader()
    for number in range(CACHED + 10):
        request = reader.read(b'{"message":{"fid":"f","data":{"a":"%d"}}}' % number)
        assert json.loads(request.content.raw)["data"] == {"a": str(number)}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b'{"message":{"fid":"\xff"}}',
        b"NaN",
        b"1e999",
        b"[" * 5000,
        b"[" * 500 + b"]" * 500,
        b'{"message":{"fid":"f","apns":{"payload":%b1%b}}}' % (b'{"a":' * 500, b"}" * 500),
    ],
)
def test_what_is_not_json_is_refused_without_an_fcm_error(body: bytes) -> None:
    request = _read(body)
    assert "FcmError" not in _details(request)
    assert (request.target, request.content.raw) == ("", b"null")


@pytest.mark.parametrize(
    "content",
    [{}, {"message": {}}, {"message": None}, {"message": {"notification": {}}}, {"message": {"token": None}}],
)
def test_a_message_needs_a_target(content: dict[str, Any]) -> None:
    details = _details(_read(content))
    assert details["message"] == "Recipient of the message is not set."
    assert details["FcmError"]["errorCode"] == "INVALID_ARGUMENT"
    assert details["BadRequest"]["fieldViolations"][0]["field"] == "message"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([], "Root element must be a message"),
        ("x", "Root element must be a message"),
        ({"message": "x"}, "google.firebase.fcm.v1.Message"),
        ({"message": []}, "Proto field is not repeating"),
        ({"message": {"fid": 5}}, "Invalid value at 'message.fid' (TYPE_STRING), 5"),
        ({"message": {"fid": "f", "token": "t"}}, "oneof field 'target' is already set. Cannot set 'token'"),
        ({"message": {"fid": "f"}, "dry_run": True}, 'Unknown name "dry_run": Cannot find field.'),
        ({"message": {"fid": "f"}, "validate_only": "yes"}, "Invalid value at 'validate_only' (TYPE_BOOL)"),
        ({"message": {"fid": "f", "to": "x"}}, "Unknown name \"to\" at 'message'"),
        ({"message": {"fid": "f", "token": "t", "to": "x"}}, "Unknown name \"to\" at 'message'"),
    ],
)
def test_what_is_malformed_is_refused_without_an_fcm_error(content: Any, text: str) -> None:
    details = _details(_read(content))
    assert text in details["message"]
    assert "FcmError" not in details


def test_a_payload_of_the_limit_passes_and_one_more_byte_does_not() -> None:
    def read(target: dict[str, Any], size: int) -> Request:
        return _read({"message": {**target, "data": {"k": "x" * (size - len('{"k":""}'))}}})

    assert read({"fid": "f"}, 4096).refusal is None
    assert "4097 bytes" in _details(read({"fid": "f"}, 4097))["message"]
    assert read({"topic": "t"}, 2048).refusal is None
    assert "2049 bytes" in _details(read({"topic": "t"}, 2049))["message"]


def test_the_limit_of_a_topic_holds_for_a_message_already_seen() -> None:
    reader = Reader()
    data = b'"data":{"k":"%s"}' % (b"x" * 3000)
    assert reader.read(b'{"message":{"fid":"f",%s}}' % data).refusal is None
    assert reader.read(b'{"message":{"topic":"t",%s}}' % data).refusal is not None


def test_validate_only_has_two_spellings_and_null_means_absent() -> None:
    for name, value, wanted in (
        ("validate_only", True, True),
        ("validateOnly", True, True),
        ("validate_only", None, False),
    ):
        request = _read({name: value, "message": {"fid": "f"}})
        assert (request.validate_only, request.refusal) == (wanted, None)
