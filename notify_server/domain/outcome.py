"""What FCM says of one send, and what the outcomes of a user's devices mean for the registry entry."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from notify_server.domain.registry import Reason


class Kind(StrEnum):
    """The four things that a channel can say of one send."""

    ACCEPTED = "accepted"
    TARGET_DEAD = "target_dead"  # deactivate the device; no send to it can ever succeed
    RETRY = "retry"  # nothing is wrong with message or target: later
    REJECTED = "rejected"  # this message to this target can never succeed


@dataclass(frozen=True, slots=True)
class Outcome:
    """One answer. `retry_after` is in seconds and only there when the provider named it."""

    kind: Kind
    reason: Reason | None = None
    retry_after: float | None = None


ACCEPTED = Outcome(Kind.ACCEPTED)

# Sends that the provider turned away at its door: they cost the recipient no attempt.
UNCOUNTED = frozenset({Reason.QUOTA_EXCEEDED, Reason.CREDENTIAL_REFUSED})


@dataclass(frozen=True, slots=True)
class Verdict:
    """The sum of a user's outcomes: how the entry moves, and whether some devices are tried again.

    `kind` is what the entry learns; `accepted` of `devices` were accepted; `retry_after` in seconds, if any.
    """

    kind: Kind
    reason: Reason | None
    accepted: int
    devices: int
    retry: bool
    retry_reason: Reason | None
    retry_after: float | None


def judge(outcomes: Sequence[Outcome]) -> Verdict:
    """Sum up the outcomes of one user's devices (at least one): accepted by any device counts as sent.

    Otherwise anything that can still succeed is retried, and only when nothing can is the entry failed.
    """
    by_kind: dict[Kind, list[Outcome]] = {}
    for outcome in outcomes:
        by_kind.setdefault(outcome.kind, []).append(outcome)
    retries = by_kind.get(Kind.RETRY, [])
    kind = next(k for k in (Kind.ACCEPTED, Kind.RETRY, Kind.REJECTED, Kind.TARGET_DEAD) if k in by_kind)
    waits = [o.retry_after for o in retries if o.retry_after is not None]
    return Verdict(
        kind=kind,
        reason=by_kind[kind][0].reason,
        accepted=len(by_kind.get(Kind.ACCEPTED, [])),
        devices=len(outcomes),
        retry=bool(retries),
        retry_reason=retries[0].reason if retries else None,
        retry_after=max(waits, default=None),
    )
