from datetime import UTC, datetime

import pytest

from notify_server.channels.mail.sendgrid_answer import answer
from notify_server.domain.outcome import Kind

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "30"}, 30),
        ({"Retry-After": "Fri, 20 Nov 2026 12:01:00 GMT"}, 60),
        ({"Retry-After": "Fri, 20 Nov 2026 11:00:00 GMT"}, 0),
        ({"X-RateLimit-Reset": str(int(NOON.timestamp()) + 5)}, 5),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_the_wait_that_is_named_is_kept(headers, seconds):
    assert answer(429, headers, None, NOON).outcome.retry_after == seconds
    assert answer(503, headers, None, NOON).outcome.retry_after == seconds


def test_a_refusal_of_the_recipient_is_told_from_one_of_the_mail():
    assert answer(400, {}, "personalizations.0.to.0.email", NOON).outcome.kind is Kind.TARGET_DEAD
    assert answer(400, {}, "content", NOON).outcome.kind is Kind.REJECTED
    assert answer(400, {}, None, NOON).detail == "400"
