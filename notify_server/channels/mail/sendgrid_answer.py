"""What an answer of SendGrid's v3 API to POST /v3/mail/send means (its reference, "Mail Send", "Responses")."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from notify_server.domain.mail import Answer
from notify_server.domain.outcome import ACCEPTED, Kind, Outcome
from notify_server.domain.registry import Reason

NEVER_SENT = Answer(Outcome(Kind.RETRY, Reason.UNAVAILABLE), "no connection")
NOT_ANSWERED = Answer(Outcome(Kind.RETRY, Reason.CONNECTION_LOST), "no answer to the request")
TLS_FAILED = Answer(Outcome(Kind.RETRY, Reason.TLS_FAILED), "no encrypted connection")
_TO = re.compile(r"personalizations\.\d+\.to\b.*")


def answer(status: int, headers: Mapping[str, str], field: str | None, now: datetime) -> Answer:
    """`field` is the first one that a 400 names."""
    if status in {HTTPStatus.OK, HTTPStatus.ACCEPTED}:
        return Answer(ACCEPTED, None, headers.get("X-Message-Id"))
    detail = f"{status} {field}" if field else str(status)
    return Answer(_outcome(status, field or "", _retry_after(headers, now)), detail)


def _outcome(status: int, field: str, retry_after: float | None) -> Outcome:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Outcome(Kind.RETRY, Reason.QUOTA_EXCEEDED, retry_after)
    if status == HTTPStatus.UNAUTHORIZED:
        return Outcome(Kind.RETRY, Reason.CREDENTIAL_REFUSED)
    if status == HTTPStatus.FORBIDDEN:  # the key may not send, or the sender is not verified
        return Outcome(Kind.RETRY, Reason.SENDER_REFUSED)
    if status >= 500 or status == HTTPStatus.REQUEST_TIMEOUT:
        return Outcome(Kind.RETRY, Reason.UNAVAILABLE, retry_after)
    if _TO.fullmatch(field):
        return Outcome(Kind.TARGET_DEAD, Reason.BAD_ADDRESS)
    return Outcome(Kind.REJECTED, Reason.MAIL_REJECTED)


def _retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds, from Retry-After in either of its forms, or from SendGrid's own X-RateLimit-Reset (Unix time)."""
    said, reset = headers.get("Retry-After", ""), headers.get("X-RateLimit-Reset", "")
    if said.isdecimal():
        return float(said[:9])
    if reset.isdecimal() and not said:
        return max(float(reset[:12]) - now.timestamp(), 0.0)
    try:
        at = parsedate_to_datetime(said)
    except ValueError:
        return None
    return max(((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds(), 0.0)
