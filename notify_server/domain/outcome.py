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

# Sends that the provider, or we in its name, turned away at the door: they cost the recipient no attempt.
UNCOUNTED = frozenset(
    {
        Reason.QUOTA_EXCEEDED,
        Reason.DEVICE_RATE,
        Reason.CREDENTIAL_REFUSED,
        Reason.PROVIDER_CREDENTIAL,
        Reason.TLS_FAILED,
        Reason.SENDER_REFUSED,
        Reason.NO_ADDRESS,
    }
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The sum of a user's outcomes: how the entry moves, and why some devices are tried again.

    `kind` and `reason` are what the entry learns; `accepted` of `devices` were accepted; `retries` are the different
    outcomes of the devices that can still succeed.
    """

    kind: Kind
    reason: Reason | None
    accepted: int
    devices: int
    retries: frozenset[Outcome]


def judge(outcomes: Sequence[Outcome]) -> Verdict:
    """Sum up the outcomes of one user's devices (at least one): accepted by any device counts as sent.

    Otherwise anything that can still succeed is retried, and only when nothing can is the entry failed. Of several
    reasons the first is told, but one that costs an attempt before one that costs none.
    """
    by_kind: dict[Kind, list[Outcome]] = {}
    for outcome in outcomes:
        by_kind.setdefault(outcome.kind, []).append(outcome)
    kind = next(k for k in (Kind.ACCEPTED, Kind.RETRY, Kind.REJECTED, Kind.TARGET_DEAD) if k in by_kind)
    reasons = [outcome.reason for outcome in by_kind[kind]]
    return Verdict(
        kind=kind,
        reason=next((reason for reason in reasons if reason not in UNCOUNTED), reasons[0]),
        accepted=len(by_kind.get(Kind.ACCEPTED, [])),
        devices=len(outcomes),
        retries=frozenset(by_kind.get(Kind.RETRY, ())),
    )
