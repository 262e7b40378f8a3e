"""FCM's answers, word for word where Google documents them.

Sources: FCM HTTP v1 "REST error codes" and "ErrorCode", Google APIs "Errors" (google.rpc.Status, BadRequest,
ErrorInfo, QuotaFailure).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

JSON = ("content-type", "application/json; charset=UTF-8")
_SIGN_IN = (
    "Expected OAuth 2 access token, login cookie or other valid authentication credential. "
    "See https://developers.google.com/identity/sign-in/web/devconsole-project."
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer: its status, JSON body and headers."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = (JSON,)

    def after(self, seconds: int | None) -> "Answer":
        """The same with a Retry-After header of that many seconds, if any."""
        return self if seconds is None else self.with_header("retry-after", str(seconds))

    def with_header(self, name: str, value: str) -> "Answer":
        """The same with one more header."""
        return Answer(self.status, self.body, (*self.headers, (name, value)))


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong with a request: the path of the field, and Google's words."""

    field: str
    description: str


def error(code: int, status: str, message: str, details: Sequence[dict[str, Any]] = ()) -> Answer:
    """A google.rpc.Status as Google's JSON mapping writes it."""
    content: dict[str, Any] = {"code": code, "message": message, "status": status}
    if details:
        content["details"] = list(details)
    return Answer(code, orjson.dumps({"error": content}))


def _fcm(code: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}


def _bad_request(violations: Sequence[Violation]) -> dict[str, Any]:
    return {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [
            {"field": v.field, "description": v.description} if v.field else {"description": v.description}
            for v in violations
        ],
    }


def _error_info(reason: str, domain: str = "googleapis.com") -> dict[str, Any]:
    metadata = {"service": "fcm.googleapis.com", "method": "google.firebase.fcm.v1.FcmService.SendMessage"}
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": domain,
        "metadata": metadata,
    }


def malformed(violations: Sequence[Violation]) -> Answer:
    """400 for a request that is not the JSON form of a SendMessageRequest: no FcmError, as FCM never saw it."""
    return error(400, "INVALID_ARGUMENT", "\n".join(v.description for v in violations), [_bad_request(violations)])


def invalid(violations: Sequence[Violation]) -> Answer:
    """400 for a well-formed message that FCM itself refuses."""
    details = [_bad_request(violations), _fcm("INVALID_ARGUMENT")]
    return error(400, "INVALID_ARGUMENT", violations[0].description, details)


def denied(project: str) -> Answer:
    """403 for a project that the credential has no permission for."""
    message = (
        "Permission 'cloudmessaging.messages.create' denied on resource "
        f"'//cloudresourcemanager.googleapis.com/projects/{project}' (or it may not exist)."
    )
    return error(403, "PERMISSION_DENIED", message, [_error_info("IAM_PERMISSION_DENIED", "iam.googleapis.com")])


_REALM = 'Bearer realm="https://accounts.google.com/"'
CREDENTIAL_MISSING = error(
    401,
    "UNAUTHENTICATED",
    f"Request is missing required authentication credential. {_SIGN_IN}",
    [_error_info("CREDENTIALS_MISSING")],
).with_header("www-authenticate", _REALM)
UNAUTHENTICATED = error(
    401,
    "UNAUTHENTICATED",
    f"Request had invalid authentication credentials. {_SIGN_IN}",
    [_error_info("ACCESS_TOKEN_EXPIRED")],
).with_header("www-authenticate", f'{_REALM}, error="invalid_token"')
THIRD_PARTY_AUTH = error(
    401,
    "UNAUTHENTICATED",
    f"Request is missing required authentication credential. {_SIGN_IN}",
    [
        _fcm("THIRD_PARTY_AUTH_ERROR"),
        {
            "@type": "type.googleapis.com/google.firebase.fcm.v1.ApnsError",
            "statusCode": 403,
            "reason": "InvalidProviderToken",
        },
    ],
)
SENDER_ID_MISMATCH = error(403, "PERMISSION_DENIED", "SenderId mismatch", [_fcm("SENDER_ID_MISMATCH")])
UNREGISTERED = error(404, "NOT_FOUND", "Requested entity was not found.", [_fcm("UNREGISTERED")])
INVALID_TARGET = invalid([Violation("message.token", "The registration token is not a valid FCM registration token")])
QUOTA = error(
    429,
    "RESOURCE_EXHAUSTED",
    "Quota exceeded for quota metric 'Send requests' and limit 'Send requests per minute' "
    "of service 'fcm.googleapis.com'.",
    [
        _fcm("QUOTA_EXCEEDED"),
        {
            "@type": "type.googleapis.com/google.rpc.QuotaFailure",
            "violations": [{"subject": "project", "description": "Send requests per minute"}],
        },
    ],
)
INTERNAL = error(500, "INTERNAL", "Internal error encountered.", [_fcm("INTERNAL")])
UNAVAILABLE = error(503, "UNAVAILABLE", "The service is currently unavailable.", [_fcm("UNAVAILABLE")])
