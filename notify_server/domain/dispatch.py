"""What the outcomes of one dispatch mean, for every recipient, every device and the batch itself.

Pure: `plan` decides, the settlement service writes. Each recipient of the batch ends in exactly one place: moved
to a final status, in the batch that waits for confirmation, in a batch that tries again, or stranded without a
device.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from notify_server.domain.batch import Batch, Stage
from notify_server.domain.device import Target
from notify_server.domain.notification import Notification
from notify_server.domain.outcome import UNCOUNTED, Kind, Outcome, Verdict, judge
from notify_server.domain.registry import Event, Note, Reason
from notify_server.domain.retry import wait

Owned = tuple[str, str, Target]  # user, device id, target

_EVENTS = {Kind.ACCEPTED: Event.SEND, Kind.RETRY: None, Kind.REJECTED: Event.FAIL, Kind.TARGET_DEAD: Event.FAIL}


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One batch as it was sent: to whom, by which devices, and what the channel said of each.

    `elsewhere` are users of the batch who are no business of what becomes of it: another batch has been queued for
    them, or push has come to its end.
    """

    batch: Batch
    notification: Notification
    users: Sequence[str]
    devices: Sequence[Owned]
    outcomes: Sequence[Outcome]
    elsewhere: Collection[str] = ()

    def by_user(self) -> Mapping[str, list[tuple[str, Outcome]]]:
        """(device id, outcome) of each user who has a device."""
        found: dict[str, list[tuple[str, Outcome]]] = {}
        for (user, device, _), outcome in zip(self.devices, self.outcomes, strict=True):
            found.setdefault(user, []).append((device, outcome))
        return found

    def stranded(self) -> list[str]:
        """Recipients without any device to send to."""
        reached = {user for user, _, _ in self.devices}
        return [user for user in self.users if user not in reached]

    def dead(self) -> Mapping[Reason, list[Owned]]:
        """Devices to be deactivated, by reason."""
        found: dict[Reason, list[Owned]] = defaultdict(list)
        for device, outcome in zip(self.devices, self.outcomes, strict=True):
            if outcome.kind is Kind.TARGET_DEAD and outcome.reason is not None:
                found[outcome.reason].append(device)
        return found


@dataclass(frozen=True, slots=True)
class Move:
    """The same change to the entries of `users`; without an event they stay pending and learn why."""

    event: Event | None
    users: Sequence[str]
    note: Note


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write: the moves, what the batch becomes (None: it goes), and the batches split off from it."""

    moves: Sequence[Move]
    successor: Batch | None
    split: Sequence[Batch]


def plan(dispatch: Dispatch, now: datetime, rng: Random) -> Plan:
    """Decide at `now`."""
    return _Planner(dispatch, now, rng).plan()


@dataclass(frozen=True, slots=True)
class _Planner:
    dispatch: Dispatch
    now: datetime
    rng: Random

    def plan(self) -> Plan:
        moves: list[Move] = []
        again: dict[frozenset[Outcome], list[str]] = defaultdict(list)
        for outcomes, users in self._alike().items():
            verdict = judge(outcomes)
            moves.append(Move(_EVENTS[verdict.kind], users, self._note(verdict)))
            if verdict.retries:
                again[verdict.retries].extend(users)
        batches = [self._retry(causes, users) for causes, users in again.items()]
        confirm = self._confirm(moves, {user for users in again.values() for user in users})
        if confirm is None and batches:
            return Plan(moves, replace(batches[0], key=self.dispatch.batch.key), batches[1:])
        return Plan(moves, confirm, batches)

    def _alike(self) -> Mapping[tuple[Outcome, ...], list[str]]:
        """Recipients by the outcomes of their devices: a batch has few different ones."""
        alike: dict[tuple[Outcome, ...], list[str]] = defaultdict(list)
        for user, answers in self.dispatch.by_user().items():
            alike[tuple(outcome for _, outcome in answers)].append(user)
        return alike

    def _note(self, verdict: Verdict) -> Note:
        attempt = self.dispatch.batch.attempt + 1
        if verdict.kind is Kind.ACCEPTED:
            detail = f"attempt {attempt}: accepted for {verdict.accepted} of {verdict.devices} devices"
            return Note(self.now, None, detail, attempts=1)
        cost = 0 if verdict.reason in UNCOUNTED else 1
        return Note(self.now, verdict.reason, f"attempt {attempt}: {verdict.reason}", cost)

    def _retry(self, causes: Collection[Outcome], users: Sequence[str]) -> Batch:
        batch = self.dispatch.batch
        counted = any(cause.reason not in UNCOUNTED for cause in causes)
        attempt = batch.attempt + counted
        seconds = max(wait(cause.reason, max(attempt, 1), cause.retry_after, self.rng) for cause in causes)
        return replace(
            self._beside(),
            users=tuple(users),
            due_at=min(self.now + timedelta(seconds=seconds), self.dispatch.notification.expires_at),
            attempt=attempt,
            devices=self._remaining(users),
        )

    def _beside(self) -> Batch:
        """A new batch for some of this one's recipients, free to be leased."""
        batch = self.dispatch.batch
        key = replace(batch.key, part=f"{self.rng.getrandbits(64):016x}")
        return replace(batch, key=key, owner=None, attempt=0, devices=None)

    def _remaining(self, users: Sequence[str]) -> Mapping[str, tuple[str, ...]] | None:
        """Which devices are tried again, of those users for whom it is not all of them."""
        answers, narrowed = self.dispatch.by_user(), self.dispatch.batch.devices or {}
        partial = {
            user: tuple(device for device, outcome in answers[user] if outcome.kind is Kind.RETRY)
            for user in users
            if user in narrowed or any(outcome.kind is not Kind.RETRY for _, outcome in answers[user])
        }
        return partial or None

    def _confirm(self, moves: Sequence[Move], retrying: Collection[str]) -> Batch | None:
        """The batch as it waits for receipts: whoever was sent to, now or ahead of it, or before the retry of their
        other devices, or by an owner that died before it said so. Others do no harm in it: a resend begins only where
        an entry is `sent`.
        """
        batch, notification = self.dispatch.batch, self.dispatch.notification
        seconds = notification.resend.wait(batch.resends)
        due_at = self.now + timedelta(seconds=seconds or 0)
        if seconds is None or due_at >= notification.expires_at:
            return None
        sent = {user for move in moves if move.event is Event.SEND for user in move.users}
        sent.update(user for move in moves for user in move.users if user in (batch.devices or {}))
        sent.update(set(batch.users).difference(self.dispatch.users))
        sent.difference_update(retrying, self.dispatch.elsewhere)
        users = tuple(user for user in batch.users if user in sent)
        waiting = replace(self._beside(), key=batch.key, users=users, stage=Stage.CONFIRM, due_at=due_at)
        return waiting if users else None
