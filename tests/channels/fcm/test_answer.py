import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_server.channels.fcm.answer import attribute, outcome, seconds
from notify_server.domain.outcome import ACCEPTED, Kind, Outcome
from notify_server.domain.registry import Reason

FCM = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"


def fcm(code: str, **error: Any) -> bytes:
    return json.dumps({"error": {**error, "details": [{"@type": FCM, "errorCode": code}]}}).encode()


def violation(field: str) -> bytes:
    details = [{"@type": BAD_REQUEST, "fieldViolations": [{"field": field, "description": "bad"}]}]
    return json.dumps({"error": {"status": "INVALID_ARGUMENT", "message": "bad", "details": details}}).encode()


def text(message: str) -> bytes:
    return json.dumps({"error": {"message": message}}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind", "reason"),
    [
        (200, b'{"name": "projects/p/messages/1"}', Kind.ACCEPTED, None),
        (400, violation("message.token"), Kind.TARGET_DEAD, Reason.INVALID_TARGET),
        (400, violation("message.fid"), Kind.TARGET_DEAD, Reason.INVALID_TARGET),
        (400, violation("message.data[0].value"), Kind.REJECTED, Reason.PAYLOAD_REJECTED),
        (400, text("The registration token is not valid"), Kind.TARGET_DEAD, Reason.INVALID_TARGET),
        (400, fcm("INVALID_ARGUMENT", message="Message is too big"), Kind.REJECTED, Reason.PAYLOAD_REJECTED),
        (400, b"<html>", Kind.REJECTED, Reason.PAYLOAD_REJECTED),
        (401, text("Request had invalid credentials"), Kind.RETRY, Reason.CREDENTIAL_REFUSED),
        (401, fcm("THIRD_PARTY_AUTH_ERROR"), Kind.RETRY, Reason.PROVIDER_CREDENTIAL),
        (401, fcm("APNS_AUTH_ERROR"), Kind.RETRY, Reason.PROVIDER_CREDENTIAL),
        (403, fcm("SENDER_ID_MISMATCH"), Kind.TARGET_DEAD, Reason.SENDER_MISMATCH),
        (403, text("Firebase Cloud Messaging API is disabled"), Kind.RETRY, Reason.CREDENTIAL_REFUSED),
        (404, fcm("UNREGISTERED"), Kind.TARGET_DEAD, Reason.UNREGISTERED),
        (404, b"<!DOCTYPE html><title>Error 404</title>", Kind.RETRY, Reason.CREDENTIAL_REFUSED),
        (408, b"", Kind.RETRY, Reason.UNAVAILABLE),
        (413, b"", Kind.REJECTED, Reason.PAYLOAD_REJECTED),
        (429, fcm("QUOTA_EXCEEDED"), Kind.RETRY, Reason.QUOTA_EXCEEDED),
        (429, b"", Kind.RETRY, Reason.QUOTA_EXCEEDED),
        (500, fcm("INTERNAL"), Kind.RETRY, Reason.UNAVAILABLE),
        (503, fcm("UNAVAILABLE"), Kind.RETRY, Reason.UNAVAILABLE),
        (502, b"<html>Bad gateway</html>", Kind.RETRY, Reason.UNAVAILABLE),
        (301, b"", Kind.RETRY, Reason.UNAVAILABLE),
    ],
)
def test_an_answer_means_an_outcome(status: int, body: bytes, kind: Kind, reason: Reason | None) -> None:
    assert outcome(status, body) == Outcome(kind, reason)


def test_only_a_retry_carries_the_wait() -> None:
    assert outcome(503, b"", 7.0) == Outcome(Kind.RETRY, Reason.UNAVAILABLE, 7.0)
    assert outcome(404, fcm("UNREGISTERED"), 7.0).retry_after is None


_names = st.sampled_from(["error", "details", "errorCode", "fieldViolations", "field", "message"])
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(_names, inner),
)


@given(st.integers(201, 599), st.binary() | _json.map(lambda value: json.dumps(value).encode()))
def test_no_body_is_too_strange(status: int, body: bytes) -> None:
    assert outcome(status, body).kind in {Kind.RETRY, Kind.REJECTED, Kind.TARGET_DEAD}


def test_a_body_nested_without_end_is_judged_by_its_status() -> None:
    assert outcome(503, b"[" * 100_000) == Outcome(Kind.RETRY, Reason.UNAVAILABLE)


def test_an_unexplained_400_is_the_targets_when_another_took_the_message() -> None:
    unexplained = outcome(400, fcm("INVALID_ARGUMENT", message="Request contains an invalid argument."))
    too_big = outcome(400, violation("message"))
    alone, together = [unexplained, too_big], [ACCEPTED, unexplained, too_big]
    attribute(alone)
    attribute(together)
    rejected = Outcome(Kind.REJECTED, Reason.PAYLOAD_REJECTED)
    assert alone == [rejected, rejected]
    assert together == [ACCEPTED, Outcome(Kind.TARGET_DEAD, Reason.INVALID_TARGET), rejected]


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        (None, None),
        ("", None),
        ("30", 30.0),
        ("-5", 0.0),
        ("Fri, 20 Nov 2026 12:00:30 GMT", 30.0),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0.0),
        ("Fri, 20 Nov 2026 12:01:00 -0000", 60.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_a_retry_after_is_seconds_or_a_date(header: str | None, wait: float | None) -> None:
    assert seconds(header, datetime(2026, 11, 20, 12, 0, tzinfo=UTC)) == wait
