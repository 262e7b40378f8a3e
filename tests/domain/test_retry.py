from random import Random

from hypothesis import given
from hypothesis import strategies as st

from notify_server.domain.registry import Reason
from notify_server.domain.retry import (
    CREDENTIAL_WAIT,
    FIRST_BACKOFF,
    LAST_BACKOFF,
    LEAST_WAIT,
    PROVIDER_WAIT,
    QUOTA_WAIT,
    wait,
)
from tests.builders import seeded

RETRIED = (
    Reason.UNAVAILABLE,
    Reason.CONNECTION_LOST,
    Reason.QUOTA_EXCEEDED,
    Reason.CREDENTIAL_REFUSED,
    Reason.PROVIDER_CREDENTIAL,
)
reasons = st.sampled_from(RETRIED)
attempts = st.integers(1, 5000)
rngs = st.randoms(use_true_random=True)


@given(reasons, attempts, st.floats(0, 86_400), rngs)
def test_the_providers_retry_after_is_kept_but_for_a_pause_of_a_second(
    reason: Reason, attempt: int, retry_after: float, rng: Random
) -> None:
    assert wait(reason, attempt, retry_after, rng) == max(retry_after, LEAST_WAIT)


@given(attempts, rngs)
def test_a_quota_without_retry_after_waits_a_minute(attempt: int, rng: Random) -> None:
    assert wait(Reason.QUOTA_EXCEEDED, attempt, None, rng) == QUOTA_WAIT == 60


@given(attempts, rngs)
def test_a_refused_credential_waits_the_same_time_at_each_attempt(attempt: int, rng: Random) -> None:
    assert wait(Reason.CREDENTIAL_REFUSED, attempt, None, rng) == CREDENTIAL_WAIT == 10
    assert wait(Reason.PROVIDER_CREDENTIAL, attempt, None, rng) == PROVIDER_WAIT == 60


@given(st.sampled_from([Reason.UNAVAILABLE, Reason.CONNECTION_LOST]), attempts, rngs)
def test_the_backoff_doubles_from_ten_seconds_to_its_limit_with_up_to_a_half_more(
    reason: Reason, attempt: int, rng: Random
) -> None:
    least = min(10 * 2 ** (attempt - 1), 900)
    assert least <= wait(reason, attempt, None, rng) < least * 1.5
    assert (FIRST_BACKOFF, LAST_BACKOFF) == (10, 900)


def test_the_backoffs_of_many_recipients_are_spread() -> None:
    rng = seeded()
    waits = [wait(Reason.UNAVAILABLE, 1, None, rng) for _ in range(200)]
    assert min(waits) < 11
    assert max(waits) > 14
