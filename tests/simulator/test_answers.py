import json
from typing import Any

from notify_server.simulator import answers
from notify_server.simulator.answers import Answer, Violation


def _error(answer: Answer) -> dict[str, Any]:
    error: dict[str, Any] = json.loads(answer.body)["error"]
    assert error["code"] == answer.status
    return error


def _fcm_code(answer: Answer) -> str | None:
    found = [d["errorCode"] for d in _error(answer).get("details", []) if d["@type"].endswith("fcm.v1.FcmError")]
    return found[0] if found else None


def test_every_answer_has_the_status_and_error_code_of_the_table() -> None:
    expected = {
        answers.UNAUTHENTICATED: (401, "UNAUTHENTICATED", None),
        answers.CREDENTIAL_MISSING: (401, "UNAUTHENTICATED", None),
        answers.THIRD_PARTY_AUTH: (401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"),
        answers.SENDER_ID_MISMATCH: (403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"),
        answers.denied("other"): (403, "PERMISSION_DENIED", None),
        answers.UNREGISTERED: (404, "NOT_FOUND", "UNREGISTERED"),
        answers.INVALID_TARGET: (400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"),
        answers.QUOTA: (429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"),
        answers.INTERNAL: (500, "INTERNAL", "INTERNAL"),
        answers.UNAVAILABLE: (503, "UNAVAILABLE", "UNAVAILABLE"),
    }
    for answer, wanted in expected.items():
        assert (answer.status, _error(answer)["status"], _fcm_code(answer)) == wanted


def test_a_malformed_request_names_every_field_and_has_no_fcm_error() -> None:
    answer = answers.malformed([Violation("a.b", "one"), Violation("", "two")])
    assert _error(answer)["message"] == "one\ntwo"
    (detail,) = _error(answer)["details"]
    assert detail["@type"] == "type.googleapis.com/google.rpc.BadRequest"
    assert detail["fieldViolations"] == [{"field": "a.b", "description": "one"}, {"description": "two"}]


def test_retry_after_is_a_header_only_where_it_is_wanted() -> None:
    assert ("retry-after", "7") in answers.QUOTA.after(7).headers
    assert ("retry-after", "0") in answers.QUOTA.after(0).headers
    assert answers.QUOTA.after(None) == answers.QUOTA
    assert all(name != "retry-after" for name, _ in answers.QUOTA.headers)


def test_a_401_for_the_credential_challenges_the_client() -> None:
    assert dict(answers.UNAUTHENTICATED.headers)["www-authenticate"].startswith("Bearer realm=")
    assert "www-authenticate" not in dict(answers.THIRD_PARTY_AUTH.headers)
