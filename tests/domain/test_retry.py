from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_server.domain.outcome import UNCOUNTED
from notify_server.domain.registry import Reason
from notify_server.domain.retry import (
    CREDENTIAL_WAIT,
    FIRST_BACKOFF,
    GIVE_UP_AFTER,
    LAST_BACKOFF,
    QUOTA_WAIT,
    gives_up,
    wait,
)

RETRIED = (
    Reason.UNAVAILABLE,
    Reason.CONNECTION_LOST,
    Reason.QUOTA_EXCEEDED,
    Reason.CREDENTIAL_REFUSED,
    Reason.PROVIDER_CREDENTIAL,
)
reasons = st.sampled_from(RETRIED)
attempts = st.integers(1, 500)
seeds = st.integers(0, 2**32)


@given(reasons, attempts, st.floats(0, 86_400), seeds)
def test_the_providers_retry_after_is_kept_to_the_second(
    reason: Reason, attempt: int, retry_after: float, seed: int
) -> None:
    assert wait(reason, attempt, retry_after, Random(seed)) == retry_after


@given(attempts, seeds)
def test_a_quota_without_retry_after_waits_a_minute(attempt: int, seed: int) -> None:
    assert wait(Reason.QUOTA_EXCEEDED, attempt, None, Random(seed)) == QUOTA_WAIT == 60


@given(st.sampled_from([Reason.CREDENTIAL_REFUSED, Reason.PROVIDER_CREDENTIAL]), attempts, seeds)
def test_a_refused_credential_waits_the_same_time_at_each_attempt(reason: Reason, attempt: int, seed: int) -> None:
    assert wait(reason, attempt, None, Random(seed)) == CREDENTIAL_WAIT


@given(st.sampled_from([Reason.UNAVAILABLE, Reason.CONNECTION_LOST]), attempts, seeds)
def test_the_backoff_doubles_from_ten_seconds_to_its_limit_with_up_to_a_half_more(
    reason: Reason, attempt: int, seed: int
) -> None:
    least = min(10 * 2 ** (attempt - 1), 900)
    assert least <= wait(reason, attempt, None, Random(seed)) < least * 1.5
    assert (FIRST_BACKOFF, LAST_BACKOFF) == (10, 900)


def test_the_backoffs_of_many_recipients_are_spread() -> None:
    rng = Random(1)
    waits = [wait(Reason.UNAVAILABLE, 1, None, rng) for _ in range(200)]
    assert min(waits) < 11 < 14 < max(waits)


@pytest.mark.parametrize("reason", RETRIED)
def test_a_recipient_is_given_up_an_hour_after_the_first_try_unless_the_provider_turned_us_away(reason: Reason) -> None:
    assert not gives_up(reason, 3599.9)
    assert gives_up(reason, 3600) is (reason not in UNCOUNTED)
    assert GIVE_UP_AFTER == 3600
