"""When a recipient whom FCM could not serve just now is tried again: until the notification expires.

Google advises to give up "by about 60 minutes". That spares a server that is down. Here the pauses of the channel do
that (domain/pace.py), and an outage of hours loses nobody whose notification is still worth having.
"""

import random

from notify_server.domain.registry import Reason

QUOTA_WAIT = 60.0  # seconds, where a 429 names no Retry-After (FCM: "Scale FCM", error handling)
CREDENTIAL_WAIT = 10.0  # seconds, for our own credential: the channel is paused meanwhile, and asks by probes
PROVIDER_WAIT = 60.0  # seconds: a person has to act, and nothing is paused, so asking more often only adds load
FIRST_BACKOFF = 10.0  # seconds (FCM: exponential backoff with jitter, from 10 s)
LAST_BACKOFF = 900.0  # seconds: the backoff grows no further, so nobody waits for long after an outage
LEAST_WAIT = 1.0  # seconds: a Retry-After of 0 must not have us ask without a pause
_DOUBLINGS = 7  # that lead from the first backoff to the last


def wait(reason: Reason | None, attempt: int, retry_after: float | None, rng: random.Random) -> float:
    """Seconds until the next try; never less than the provider's own Retry-After.

    `attempt` counts the tries so far, from 1. The backoff doubles with each and is spread by up to a half,
    so that the recipients of one bad minute do not come back in one bad second.
    """
    if retry_after is not None:
        return max(retry_after, LEAST_WAIT)
    if reason is Reason.QUOTA_EXCEEDED:
        return QUOTA_WAIT
    if reason is Reason.CREDENTIAL_REFUSED:
        return CREDENTIAL_WAIT
    if reason is Reason.PROVIDER_CREDENTIAL:
        return PROVIDER_WAIT
    backoff: float = min(FIRST_BACKOFF * 2 ** min(attempt - 1, _DOUBLINGS), LAST_BACKOFF)
    return backoff * (1 + rng.random() / 2)
