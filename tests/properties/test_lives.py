"""The whole life of a batch: whatever FCM answers, dispatch after dispatch, `plan` loses nobody and repeats nothing."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from notify_server.domain.batch import Batch, Stage
from notify_server.domain.dispatch import Dispatch, Move, Owned, plan
from notify_server.domain.notification import Notification, ResendPolicy
from notify_server.domain.outcome import ACCEPTED, Kind, Outcome
from notify_server.domain.registry import TRANSITIONS, Event, Reason, Status, allowed
from tests.builders import NOON, a_batch, a_notification, a_target

answers = st.sampled_from(
    [
        ACCEPTED,
        Outcome(Kind.RETRY, Reason.UNAVAILABLE),
        Outcome(Kind.RETRY, Reason.UNAVAILABLE, 700.0),
        Outcome(Kind.RETRY, Reason.CONNECTION_LOST),
        Outcome(Kind.RETRY, Reason.QUOTA_EXCEEDED, 30.0),
        Outcome(Kind.RETRY, Reason.DEVICE_RATE, 5.0),
        Outcome(Kind.RETRY, Reason.CREDENTIAL_REFUSED),
        Outcome(Kind.TARGET_DEAD, Reason.UNREGISTERED),
        Outcome(Kind.REJECTED, Reason.PAYLOAD_REJECTED),
    ]
)
_ENOUGH = 400  # dispatches


@dataclass
class Life:
    """A notification to a few users, from its first dispatch until nothing is queued; draws what FCM answers."""

    data: st.DataObject
    notification: Notification
    devices: Mapping[str, list[str]]  # alive, by user
    rng: Random
    now: datetime = NOON
    status: dict[str, Status] = field(default_factory=dict)
    attempts: Counter[str] = field(default_factory=Counter)
    tries: Counter[str] = field(default_factory=Counter)  # dispatches to a device of the user, at least
    reached: Counter[str] = field(default_factory=Counter)  # those that a device accepted
    accepted: Counter[tuple[int, str, str]] = field(default_factory=Counter)  # by number of the resend, user, device
    not_before: dict[tuple[str, str], datetime] = field(default_factory=dict)
    stranded: set[str] = field(default_factory=set)
    sent: set[str] = field(default_factory=set)  # at any time

    def live(self) -> None:
        """Dispatch, retry and resend, in the order of the queue, until the queue is empty or the time is over."""
        self.status = dict.fromkeys(self.devices, Status.PENDING)
        queue = [a_batch(self.notification.id, *self.devices)]
        for _ in range(_ENOUGH):
            self._everybody_is_somewhere(queue)
            if not queue:
                return
            batch = min(queue, key=lambda each: each.due_at)
            assert batch.due_at <= self.notification.expires_at
            self.now = max(self.now, batch.due_at)
            queue.remove(batch)
            queue += self._served(batch)
        raise AssertionError("there is no end to it")

    def _served(self, batch: Batch) -> list[Batch]:
        if self.now >= self.notification.expires_at:
            self._move(Event.EXPIRE, batch.users)
            return []
        if batch.stage is Stage.CONFIRM:
            batch = replace(batch, stage=Stage.DISPATCH, resends=batch.resends + 1)
            self._move(Event.RESEND, batch.users)
        made = plan(self._dispatch(batch), self.now, self.rng)
        for move in made.moves:
            self._apply(move)
        return [each for each in (made.successor, *made.split) if each is not None]

    def _dispatch(self, batch: Batch) -> Dispatch:
        narrowed = batch.devices or {}
        users = [user for user in batch.users if user in narrowed or self.status[user] is Status.PENDING]
        owned: list[Owned] = [
            (user, device, a_target(f"{user}:{device}"))
            for user in users
            for device in list(self.devices[user])
            if user not in narrowed or device in narrowed[user]
        ]
        outcomes = [self._answer(batch, user, device) for user, device, _ in owned]
        dispatch = Dispatch(batch, self.notification, users, owned, outcomes)
        self.stranded.update(user for user in dispatch.stranded() if self.status[user] is Status.PENDING)
        for user, answered in dispatch.by_user().items():
            self.tries[user] += 1
            self.reached[user] += any(outcome is ACCEPTED for _, outcome in answered)
        return dispatch

    def _answer(self, batch: Batch, user: str, device: str) -> Outcome:
        assert self.now >= self.not_before.get((user, device), self.now)
        outcome = self.data.draw(answers)
        self.accepted[batch.resends, user, device] += outcome is ACCEPTED
        if outcome.kind is Kind.TARGET_DEAD:
            self.devices[user].remove(device)
        if outcome.retry_after is not None:
            until = min(self.now + timedelta(seconds=outcome.retry_after), self.notification.expires_at)
            self.not_before[user, device] = until
        return outcome

    def _apply(self, move: Move) -> None:
        for user in move.users:
            self.attempts[user] += move.note.attempts
        if move.event is not None:
            self._move(move.event, move.users)

    def _move(self, event: Event, users: tuple[str, ...] | list[str]) -> None:
        for user in users:
            if allowed(event, self.status[user]):
                move = TRANSITIONS[event]
                self.status[user] = move.resent if user in self.sent else move.target
                if event is Event.SEND:
                    self.sent.add(user)

    def _everybody_is_somewhere(self, queue: list[Batch]) -> None:
        places: dict[str, list[Stage]] = defaultdict(list)
        for batch in queue:
            for user in batch.users:
                places[user].append(batch.stage)
        assert all(len(stages) == 1 for stages in places.values())
        for user, status in self.status.items():
            if status is Status.PENDING and user not in self.stranded:
                assert places[user] == [Stage.DISPATCH]


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """Any notification to one to four users with up to three devices each."""
    users = [f"u{number}" for number in range(draw(st.integers(1, 4)))]
    devices = {user: [f"d{number}" for number in range(draw(st.integers(0, 3)))] for user in users}
    policy = ResendPolicy(draw(st.sampled_from([10, 900])), draw(st.integers(0, 2)))
    notification = a_notification(resend=policy, ttl=draw(st.sampled_from([40, 600, 7200])))
    return Life(draw(st.data()), notification, devices, Random(draw(st.integers(0, 99))))  # noqa: S311 - jitter


@settings(deadline=None)
@given(lives())
def test_a_life_ends_with_everybody_sent_to_ended_or_without_a_device(life: Life) -> None:
    life.live()
    left = {user for user, status in life.status.items() if status is Status.PENDING}
    assert left <= life.stranded
    assert all(not life.devices[user] for user in left)


@settings(deadline=None)
@given(lives())
def test_a_device_that_accepted_gets_it_again_by_a_resend_only(life: Life) -> None:
    life.live()
    assert max(life.accepted.values(), default=0) <= 1
    assert all(resends <= life.notification.resend.times for resends, _, _ in life.accepted)


@settings(deadline=None)
@given(lives())
def test_whoever_a_device_of_theirs_accepted_for_is_sent_or_being_sent_again(life: Life) -> None:
    life.live()
    reached = {user for (_, user, _), times in life.accepted.items() if times}
    assert {user for user, status in life.status.items() if status is Status.SENT} <= reached


@settings(deadline=None)
@given(lives())
def test_nobody_who_was_sent_it_ends_otherwise_than_sent_or_waiting_for_a_device(life: Life) -> None:
    life.live()
    ended = {user: life.status[user] for user in life.sent if life.status[user] is not Status.SENT}
    assert set(ended.values()) <= {Status.PENDING}
    assert ended.keys() <= life.stranded


@settings(deadline=None)
@given(lives())
def test_every_dispatch_that_reached_a_device_is_an_attempt_and_none_counts_twice(life: Life) -> None:
    life.live()
    assert all(life.reached[user] <= life.attempts[user] <= life.tries[user] for user in life.devices)
