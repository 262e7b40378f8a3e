"""What the answers of a mail service mean, for every recipient of a batch and for the batch itself.

Pure: `plan` decides, the mailing service writes. No batch waits for receipts: a mail is not sent again by itself.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from notify_server.domain.batch import Batch
from notify_server.domain.dispatch import Move
from notify_server.domain.mail import Answer
from notify_server.domain.notification import Notification
from notify_server.domain.outcome import UNCOUNTED, Kind, Outcome
from notify_server.domain.registry import Event, Note, Reason, Status
from notify_server.domain.retry import wait

_SUPPRESSED = {Reason.MAIL_DISABLED, Reason.ADDRESS_BLOCKED}
DISABLED = Answer(Outcome(Kind.REJECTED, Reason.MAIL_DISABLED))
BLOCKED = Answer(Outcome(Kind.REJECTED, Reason.ADDRESS_BLOCKED))
WITHOUT_ADDRESS = Answer(Outcome(Kind.RETRY, Reason.NO_ADDRESS))


@dataclass(frozen=True, slots=True)
class Mailed:
    """A batch as it was mailed: what was said of each of its users who was to get a mail."""

    batch: Batch
    notification: Notification
    answers: Mapping[str, Answer]


@dataclass(frozen=True, slots=True)
class MailPlan:
    """What to write: the moves of entries, what the batch becomes (None: it goes), and what is split off from it."""

    moves: Sequence[Move]
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


def plan(mailed: Mailed, now: datetime, rng: Random) -> MailPlan:
    """Decide at `now`."""
    alike: dict[tuple[Outcome, str | None], list[str]] = defaultdict(list)
    for user, answer in mailed.answers.items():
        alike[answer.outcome, answer.detail].append(user)
    moves = [
        Move(event(outcome), users, _note(mailed.batch, outcome, detail, now))
        for (outcome, detail), users in alike.items()
    ]
    waiting: dict[Outcome, list[str]] = defaultdict(list)
    for (outcome, _), users in alike.items():
        if outcome.kind is Kind.RETRY and outcome.reason is not Reason.NO_ADDRESS:
            waiting[outcome].extend(users)
    batches = [_retry(mailed, outcome, users, now, rng) for outcome, users in waiting.items()]
    if not batches:
        return MailPlan(moves, None, [])
    return MailPlan(moves, replace(batches[0], key=mailed.batch.key), batches[1:])


def _note(batch: Batch, outcome: Outcome, detail: str | None, now: datetime) -> Note:
    if outcome == WITHOUT_ADDRESS.outcome:
        return Note(now, Reason.NO_ADDRESS, "mail: no address; waits for one until it expires")
    if outcome.reason in _SUPPRESSED:
        return Note(now, outcome.reason, f"mail: {outcome.reason}")
    said = "accepted" if outcome.reason is None else outcome.reason.value
    written = f"mail, attempt {batch.attempt + 1}: {said}" + (f" ({detail})" if detail else "")
    return Note(now, outcome.reason, written, cost(outcome))


def _retry(mailed: Mailed, outcome: Outcome, users: Sequence[str], now: datetime, rng: Random) -> Batch:
    batch = mailed.batch
    attempt = batch.attempt + cost(outcome)
    seconds = wait(outcome.reason, max(attempt, 1), outcome.retry_after, rng)
    return replace(
        batch,
        key=replace(batch.key, part=f"{rng.getrandbits(64):016x}"),
        users=tuple(users),
        due_at=min(now + timedelta(seconds=seconds), mailed.notification.expires_at),
        owner=None,
        attempt=attempt,
        calls=0,
    )
