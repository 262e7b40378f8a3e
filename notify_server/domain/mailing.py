"""What the answers of a mail service mean, for every recipient of a batch and for the batch itself.

Pure: `moves` and `plan` decide, the mailing service writes. No batch waits for receipts: a mail is not sent again by
itself.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from notify_server.domain.batch import Batch
from notify_server.domain.dispatch import Move
from notify_server.domain.mail import Answer
from notify_server.domain.outcome import UNCOUNTED, Kind, Outcome
from notify_server.domain.registry import Event, Note, Reason, Status
from notify_server.domain.retry import wait

_SUPPRESSED = {Reason.MAIL_DISABLED, Reason.ADDRESS_BLOCKED}
DISABLED = Answer(Outcome(Kind.REJECTED, Reason.MAIL_DISABLED))
BLOCKED = Answer(Outcome(Kind.REJECTED, Reason.ADDRESS_BLOCKED))
WITHOUT_ADDRESS = Answer(Outcome(Kind.RETRY, Reason.NO_ADDRESS))


@dataclass(frozen=True, slots=True)
class Mailed:
    """A batch as it was mailed: what was said of each of its users who was to get a mail, and whom nobody came to.

    `expires_at` is when its notification does.
    """

    batch: Batch
    expires_at: datetime
    answers: Mapping[str, Answer]
    left: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class MailPlan:
    """What the batch becomes (None: it goes), and what is split off from it."""

    successor: Batch | None
    split: Sequence[Batch]


def event(outcome: Outcome) -> Event | None:
    """How an outcome moves an entry that goes by mail alone; None: it stays pending."""
    if outcome.kind is Kind.ACCEPTED:
        return Event.SEND
    if outcome.kind is Kind.RETRY:
        return None
    return Event.DISABLE if outcome.reason in _SUPPRESSED else Event.FAIL


def status(outcome: Outcome) -> Status:
    """Where an outcome leaves the mail itself."""
    moved = {Event.SEND: Status.SENT, Event.DISABLE: Status.SUPPRESSED, Event.FAIL: Status.FAILED}
    found = event(outcome)
    return Status.PENDING if found is None else moved[found]


def cost(outcome: Outcome) -> int:
    """How many attempts it took: none where nobody was asked, or we were turned away at the door."""
    free = _SUPPRESSED | UNCOUNTED
    return 0 if outcome.reason in free else 1


def moves(batch: Batch, answers: Mapping[str, Answer], now: datetime) -> Sequence[Move]:
    """How the entries of some users move by what was said of their mails."""
    alike: dict[tuple[Outcome, str | None], list[str]] = defaultdict(list)
    for user, answer in answers.items():
        alike[answer.outcome, answer.detail].append(user)
    return [
        Move(event(outcome), users, _note(batch, outcome, detail, now)) for (outcome, detail), users in alike.items()
    ]


def plan(mailed: Mailed, now: datetime, rng: Random) -> MailPlan:
    """Decide at `now` who is mailed again, and when: whom nobody came to, at once."""
    waiting: dict[Outcome, list[str]] = defaultdict(list)
    for user, answer in mailed.answers.items():
        outcome = answer.outcome
        if outcome.kind is Kind.RETRY and outcome.reason is not Reason.NO_ADDRESS:
            waiting[outcome].append(user)
    batches = [_retry(mailed, outcome, users, now, rng) for outcome, users in waiting.items()]
    if mailed.left:
        batches.insert(0, _part(mailed.batch, mailed.left, now, rng))
    if not batches:
        return MailPlan(None, [])
    return MailPlan(replace(batches[0], key=mailed.batch.key), batches[1:])


def _note(batch: Batch, outcome: Outcome, detail: str | None, now: datetime) -> Note:
    if outcome == WITHOUT_ADDRESS.outcome:
        return Note(now, Reason.NO_ADDRESS, "mail: no address; waits for one until it expires")
    if outcome.reason in _SUPPRESSED:
        return Note(now, outcome.reason, f"mail: {outcome.reason}")
    said = "accepted" if outcome.reason is None else outcome.reason.value
    written = f"mail, attempt {batch.attempt + 1}: {said}" + (f" ({detail})" if detail else "")
    return Note(now, outcome.reason, written, cost(outcome))


def _retry(mailed: Mailed, outcome: Outcome, users: Sequence[str], now: datetime, rng: Random) -> Batch:
    attempt = mailed.batch.attempt + cost(outcome)
    seconds = wait(outcome.reason, max(attempt, 1), outcome.retry_after, rng)
    due_at = min(now + timedelta(seconds=seconds), mailed.expires_at)
    return replace(_part(mailed.batch, users, due_at, rng), attempt=attempt)


def _part(batch: Batch, users: Sequence[str], due_at: datetime, rng: Random) -> Batch:
    """Some of a batch by themselves, for whoever leases them."""
    key = replace(batch.key, part=f"{rng.getrandbits(64):016x}")
    return replace(batch, key=key, users=tuple(users), due_at=due_at, owner=None, calls=0)
