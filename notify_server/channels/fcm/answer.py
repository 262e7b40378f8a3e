"""What an answer of FCM means for one recipient.

Sources: https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode and
https://firebase.google.com/docs/cloud-messaging/error-codes
"""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from notify_server.domain.outcome import ACCEPTED, Kind, Outcome
from notify_server.domain.registry import Reason

CONNECTION_LOST = Outcome(Kind.RETRY, Reason.CONNECTION_LOST)
CREDENTIAL_REFUSED = Outcome(Kind.RETRY, Reason.CREDENTIAL_REFUSED)
_UNAVAILABLE = Outcome(Kind.RETRY, Reason.UNAVAILABLE)
_QUOTA = Outcome(Kind.RETRY, Reason.QUOTA_EXCEEDED)
_PROVIDER_CREDENTIAL = Outcome(Kind.RETRY, Reason.PROVIDER_CREDENTIAL)
_REJECTED = Outcome(Kind.REJECTED, Reason.PAYLOAD_REJECTED)
_UNEXPLAINED = Outcome(Kind.REJECTED, Reason.PAYLOAD_REJECTED)  # told apart by identity, for `attribute` alone
_INVALID_TARGET = Outcome(Kind.TARGET_DEAD, Reason.INVALID_TARGET)

_BY_ERROR_CODE = {
    "UNREGISTERED": Outcome(Kind.TARGET_DEAD, Reason.UNREGISTERED),
    "SENDER_ID_MISMATCH": Outcome(Kind.TARGET_DEAD, Reason.SENDER_MISMATCH),
    "THIRD_PARTY_AUTH_ERROR": _PROVIDER_CREDENTIAL,
    "APNS_AUTH_ERROR": _PROVIDER_CREDENTIAL,  # its older name
    "QUOTA_EXCEEDED": _QUOTA,
    "UNAVAILABLE": _UNAVAILABLE,
    "INTERNAL": _UNAVAILABLE,
}
# Without an FCM error code, 403 and 404 say that project, API or path are wrong: our configuration, as with 401.
# It is no recipient's fault, so that they wait, as they do for a credential, until a person has acted.
_BY_STATUS = {401: CREDENTIAL_REFUSED, 403: CREDENTIAL_REFUSED, 404: CREDENTIAL_REFUSED, 408: _UNAVAILABLE, 429: _QUOTA}
_TARGET_FIELDS = frozenset({"message.token", "message.fid"})
_TARGET_TEXT = re.compile(r"registration[ _]token|installation id", re.IGNORECASE)


def outcome(status: int, body: bytes, retry_after: float | None = None) -> Outcome:
    """The outcome of an answer with this HTTP status and body; `retry_after` is in seconds, if it named one.

    A body that is not FCM's (a proxy's HTML page, say) is judged by the status alone. Nothing is raised.
    """
    if status == 200:
        return ACCEPTED
    found = _judge(status, _error(body))
    if found.kind is Kind.RETRY and retry_after is not None:
        return Outcome(found.kind, found.reason, retry_after)
    return found


def attribute(outcomes: list[Outcome]) -> None:
    """Settle, in place, an INVALID_ARGUMENT that did not say whether message or target is invalid.

    Where another target took the same message, it is the target.
    """
    if ACCEPTED in outcomes:
        for position, found in enumerate(outcomes):
            if found is _UNEXPLAINED:
                outcomes[position] = _INVALID_TARGET


def seconds(retry_after: str | None, now: datetime | None = None) -> float | None:
    """A Retry-After header in seconds, never negative (RFC 9110 section 10.2.3: a number or a date); None: no use."""
    if not retry_after:
        return None
    try:
        wait = float(retry_after)
    except ValueError:
        return _seconds_until(retry_after, now or datetime.now(UTC))
    return max(0.0, wait) if math.isfinite(wait) else None


def _seconds_until(date: str, now: datetime) -> float | None:
    try:
        at = parsedate_to_datetime(date)
    except ValueError:
        return None
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds())


def _judge(status: int, error: Mapping[str, Any]) -> Outcome:
    details = [detail for detail in _list(error.get("details")) if isinstance(detail, dict)]
    codes = (detail.get("errorCode") for detail in details)
    known = next((_BY_ERROR_CODE[code] for code in codes if isinstance(code, str) and code in _BY_ERROR_CODE), None)
    if known:
        return known
    if status == 400:
        return _invalid_argument(error, details)
    return _BY_STATUS.get(status) or (_REJECTED if 400 <= status < 500 else _UNAVAILABLE)


def _invalid_argument(error: Mapping[str, Any], details: list[dict[str, Any]]) -> Outcome:
    """Target or message: by the fields that are named, or else by the text."""
    violations = [violation for detail in details for violation in _list(detail.get("fieldViolations"))]
    fields = {str(violation.get("field")) for violation in violations if isinstance(violation, dict)}
    if fields:
        return _REJECTED if _TARGET_FIELDS.isdisjoint(fields) else _INVALID_TARGET
    return _INVALID_TARGET if _TARGET_TEXT.search(str(error.get("message"))) else _UNEXPLAINED


def _error(body: bytes) -> Mapping[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    error = answer.get("error") if isinstance(answer, dict) else None
    return error if isinstance(error, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
