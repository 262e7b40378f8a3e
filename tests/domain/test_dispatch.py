"""What `plan` makes of the outcomes of any dispatch: the properties that hold for all, then cases of some."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_server.domain.batch import SIZE, Batch, Stage
from notify_server.domain.dispatch import Dispatch, Move, Owned, Plan, plan
from notify_server.domain.notification import ResendPolicy
from notify_server.domain.outcome import ACCEPTED, UNCOUNTED, Kind, Outcome
from notify_server.domain.registry import Event, Reason
from tests.builders import NOON, a_batch, a_notification, a_target, after, seeded

UNREGISTERED = Outcome(Kind.TARGET_DEAD, Reason.UNREGISTERED)
MISMATCH = Outcome(Kind.TARGET_DEAD, Reason.SENDER_MISMATCH)
REJECTED = Outcome(Kind.REJECTED, Reason.PAYLOAD_REJECTED)
BUSY = Outcome(Kind.RETRY, Reason.UNAVAILABLE)
BUSY_20 = Outcome(Kind.RETRY, Reason.UNAVAILABLE, 20.0)
LOST = Outcome(Kind.RETRY, Reason.CONNECTION_LOST)
QUOTA = Outcome(Kind.RETRY, Reason.QUOTA_EXCEEDED)
QUOTA_300 = Outcome(Kind.RETRY, Reason.QUOTA_EXCEEDED, 300.0)
REFUSED = Outcome(Kind.RETRY, Reason.CREDENTIAL_REFUSED)
PROVIDER = Outcome(Kind.RETRY, Reason.PROVIDER_CREDENTIAL)
OUTCOMES = (
    ACCEPTED,
    UNREGISTERED,
    MISMATCH,
    REJECTED,
    BUSY,
    BUSY_20,
    LOST,
    QUOTA,
    QUOTA_300,
    REFUSED,
    PROVIDER,
)

rngs = st.randoms(use_true_random=True)


def a_dispatch(answers: Mapping[str, Sequence[Outcome]], batch: Batch | None = None, **notification: Any) -> Dispatch:
    """A dispatch to the keys of `answers`, each with a device for each of their outcomes."""
    owned: list[Owned] = []
    outcomes: list[Outcome] = []
    for user, given_ in answers.items():
        for number, outcome in enumerate(given_):
            owned.append((user, f"d{number}", a_target(f"{user}:d{number}")))
            outcomes.append(outcome)
    made = batch or a_batch(None, *answers)
    return Dispatch(
        made, a_notification(id=made.key.notification, **notification), tuple(answers), owned, tuple(outcomes)
    )


def planned(dispatch: Dispatch, now_after: float = 0) -> Plan:
    return plan(dispatch, after(now_after), seeded())


def batches(made: Plan) -> list[Batch]:
    return [*([made.successor] if made.successor else []), *made.split]


def move_of(made: Plan, user: str) -> Move:
    [found] = [move for move in made.moves if user in move.users]
    return found


@st.composite
def dispatches(draw: st.DrawFn) -> Dispatch:
    """Any dispatch: of a page, a resend, a retry or a partial retry, with or without recipients dealt with before."""
    users = [f"u{number}" for number in range(draw(st.integers(1, 8)))]
    waiting = [user for user in users if draw(st.integers(0, 4))]
    answers = {user: draw(st.lists(st.sampled_from(OUTCOMES), max_size=3)) for user in waiting}
    narrowed = {user: ("d0", "d1", "d2") for user in users if draw(st.booleans())}
    batch = a_batch(
        None,
        *users,
        owner="worker",
        resends=draw(st.integers(0, 3)),
        attempt=draw(st.integers(0, 9)),
        devices=draw(st.sampled_from([None, narrowed or None])),
    )
    policy = ResendPolicy(draw(st.sampled_from([10, 900])), draw(st.integers(0, 3)))
    return a_dispatch(answers, batch, resend=policy, ttl=draw(st.sampled_from([1, 15, 100, 86_400])))


@given(dispatches(), rngs)
def test_every_recipient_ends_in_exactly_one_place(dispatch: Dispatch, rng: Random) -> None:
    made = plan(dispatch, NOON, rng)
    confirming = {user for batch in batches(made) if batch.stage is Stage.CONFIRM for user in batch.users}
    retrying = [user for batch in batches(made) if batch.stage is Stage.DISPATCH for user in batch.users]
    answered = {user for user, _, _ in dispatch.devices}
    held = {user for move in made.moves if move.event is None for user in move.users}
    ended = {user for move in made.moves if move.event is not None for user in move.users}
    assert max(Counter(retrying).values(), default=0) <= 1
    assert confirming.isdisjoint(retrying)
    assert confirming.isdisjoint(dispatch.stranded())
    assert held <= set(retrying) <= answered
    assert held | ended == answered
    assert held.isdisjoint(ended)
    assert {*confirming, *retrying, *ended, *dispatch.stranded()} <= set(dispatch.batch.users)


@given(dispatches(), rngs)
def test_every_answered_recipient_learns_of_it_once(dispatch: Dispatch, rng: Random) -> None:
    made = plan(dispatch, NOON, rng)
    told = Counter(user for move in made.moves for user in move.users)
    assert told == Counter({user for user, _, _ in dispatch.devices})
    assert all(move.note.reason is not None for move in made.moves if move.event is not Event.SEND)
    assert all(move.note.reason is None for move in made.moves if move.event is Event.SEND)


@given(dispatches(), rngs)
def test_whoever_was_sent_to_waits_for_confirmation_while_resends_and_time_remain(
    dispatch: Dispatch, rng: Random
) -> None:
    made = plan(dispatch, NOON, rng)
    seconds = dispatch.notification.resend.wait(dispatch.batch.resends)
    remains = seconds is not None and after(seconds) < dispatch.notification.expires_at
    sent = {user for move in made.moves if move.event is Event.SEND for user in move.users}
    before = set(dispatch.batch.users) - set(dispatch.users)
    placed = {user for batch in batches(made) for user in batch.users}
    if remains:
        assert sent | before <= placed
    else:
        assert all(batch.stage is Stage.DISPATCH for batch in batches(made))


@given(dispatches(), rngs)
def test_batches_are_free_small_and_of_the_same_page_with_keys_of_their_own(dispatch: Dispatch, rng: Random) -> None:
    made = plan(dispatch, NOON, rng)
    keys = [batch.key for batch in batches(made)]
    assert len(set(keys)) == len(keys)
    assert all(replace(key, part="") == replace(dispatch.batch.key, part="") for key in keys)
    assert made.successor is None or made.successor.key == dispatch.batch.key
    assert all(batch.key != dispatch.batch.key for batch in made.split)
    assert made.successor is not None or not made.split
    assert all(batch.owner is None and 1 <= len(batch.users) <= SIZE for batch in batches(made))
    assert all(batch.resends == dispatch.batch.resends and batch.rank is dispatch.batch.rank for batch in batches(made))


@given(dispatches(), rngs)
def test_nobody_is_retried_before_the_providers_retry_after_nor_later_than_the_expiry(
    dispatch: Dispatch, rng: Random
) -> None:
    answers, expires_at = dispatch.by_user(), dispatch.notification.expires_at
    for batch in batches(plan(dispatch, NOON, rng)):
        assert batch.due_at <= expires_at
        for user in batch.users if batch.stage is Stage.DISPATCH else ():
            causes = [outcome for _, outcome in answers[user] if outcome.kind is Kind.RETRY]
            least = max(cause.retry_after or _DEFAULT_WAITS[cause.reason] for cause in causes)
            assert batch.due_at >= min(after(least), expires_at)


_DEFAULT_WAITS: dict[Reason | None, float] = {
    Reason.UNAVAILABLE: 10,
    Reason.CONNECTION_LOST: 10,
    Reason.QUOTA_EXCEEDED: 60,
    Reason.CREDENTIAL_REFUSED: 10,
    Reason.PROVIDER_CREDENTIAL: 60,
}


@given(dispatches(), rngs)
def test_a_retry_goes_to_the_devices_that_can_still_succeed_and_to_no_others(dispatch: Dispatch, rng: Random) -> None:
    answers = dispatch.by_user()
    for batch in batches(plan(dispatch, NOON, rng)):
        if batch.stage is Stage.CONFIRM:
            assert batch.devices is None
            continue
        for user in batch.users:
            left = tuple(device for device, outcome in answers[user] if outcome.kind is Kind.RETRY)
            assert left
            everything = len(left) == len(answers[user]) and user not in (dispatch.batch.devices or {})
            assert (batch.devices or {}).get(user) == (None if everything else left)


@given(dispatches(), rngs)
def test_attempts_count_every_send_that_the_provider_let_in(dispatch: Dispatch, rng: Random) -> None:
    answers = dispatch.by_user()
    for move in plan(dispatch, NOON, rng).moves:
        for user in move.users:
            outcomes = [outcome for _, outcome in answers[user]]
            turned_away = all(outcome.kind is not Kind.RETRY or outcome.reason in UNCOUNTED for outcome in outcomes)
            free = turned_away and move.event is None
            assert move.note.attempts == (0 if free else 1)


@given(dispatches())
def test_a_batch_counts_an_attempt_unless_all_in_it_were_turned_away(dispatch: Dispatch) -> None:
    answers = dispatch.by_user()
    for batch in batches(planned(dispatch)):
        if batch.stage is Stage.CONFIRM:
            assert batch.attempt == 0
            continue
        causes = {outcome.reason for user in batch.users for _, outcome in answers[user] if outcome.kind is Kind.RETRY}
        assert batch.attempt - dispatch.batch.attempt == (0 if causes <= UNCOUNTED else 1)


@pytest.mark.parametrize(
    ("outcomes", "event", "reason", "attempts"),
    [
        ([ACCEPTED, UNREGISTERED], Event.SEND, None, 1),
        ([UNREGISTERED, UNREGISTERED], Event.FAIL, Reason.UNREGISTERED, 1),
        ([MISMATCH], Event.FAIL, Reason.SENDER_MISMATCH, 1),
        ([REJECTED, UNREGISTERED], Event.FAIL, Reason.PAYLOAD_REJECTED, 1),
        ([BUSY, UNREGISTERED], None, Reason.UNAVAILABLE, 1),
        ([LOST], None, Reason.CONNECTION_LOST, 1),
        ([QUOTA], None, Reason.QUOTA_EXCEEDED, 0),
        ([REFUSED], None, Reason.CREDENTIAL_REFUSED, 0),
        ([PROVIDER], None, Reason.PROVIDER_CREDENTIAL, 0),
        ([QUOTA, BUSY], None, Reason.UNAVAILABLE, 1),
    ],
)
def test_an_entry_learns_what_its_devices_answered(
    outcomes: list[Outcome], event: Event | None, reason: Reason | None, attempts: int
) -> None:
    move = move_of(planned(a_dispatch({"u1": outcomes})), "u1")
    assert (move.event, move.note.reason, move.note.attempts) == (event, reason, attempts)


def test_the_history_tells_how_many_devices_accepted_at_which_attempt() -> None:
    batch = a_batch(None, "u1", attempt=2)
    assert move_of(planned(a_dispatch({"u1": [ACCEPTED, BUSY]}, batch)), "u1").note.detail == (
        "attempt 3: accepted for 1 of 2 devices"
    )
    assert move_of(planned(a_dispatch({"u1": [BUSY]}, batch)), "u1").note.detail == "attempt 3: unavailable"


def test_recipients_with_different_fates_part() -> None:
    made = planned(a_dispatch({"a": [ACCEPTED], "b": [BUSY], "c": [QUOTA_300], "d": [UNREGISTERED], "e": []}))
    confirm, unavailable, quota = batches(made)
    assert (confirm.users, confirm.stage, confirm.due_at) == (("a",), Stage.CONFIRM, after(900))
    assert unavailable.users == ("b",)
    assert (quota.users, quota.due_at) == (("c",), after(300))


def test_recipients_of_one_fate_stay_together() -> None:
    made = planned(a_dispatch({f"u{number:03}": [BUSY] for number in range(SIZE)}))
    assert len(made.moves) == 1
    assert made.successor is not None
    assert len(made.successor.users) == SIZE
    assert not made.split


def test_without_anyone_to_confirm_the_first_retry_takes_the_place_of_the_batch() -> None:
    dispatch = a_dispatch({"a": [BUSY], "b": [QUOTA]})
    made = planned(dispatch)
    assert made.successor is not None
    assert (made.successor.key, made.successor.users) == (dispatch.batch.key, ("a",))
    assert [batch.users for batch in made.split] == [("b",)]


def test_a_batch_of_which_nothing_is_left_goes() -> None:
    assert planned(a_dispatch({"a": [UNREGISTERED], "b": []})) == Plan(
        planned(a_dispatch({"a": [UNREGISTERED]})).moves, None, []
    )


def test_two_devices_that_wait_for_different_things_wait_for_the_longer() -> None:
    made = planned(a_dispatch({"a": [BUSY_20, QUOTA], "b": [BUSY_20, QUOTA_300]}))
    due = {batch.users: batch.due_at for batch in batches(made)}
    assert due == {("a",): after(60), ("b",): after(300)}


def test_the_backoff_grows_with_the_attempts_of_the_batch() -> None:
    made = planned(a_dispatch({"u1": [BUSY]}, a_batch(None, "u1", attempt=3)))
    assert made.successor is not None
    assert made.successor.attempt == 4
    assert after(80) <= made.successor.due_at < after(120)


@pytest.mark.parametrize("hours", [0, 1, 2, 23])
def test_whatever_can_still_succeed_is_tried_again_until_the_notification_expires(hours: int) -> None:
    batch = a_batch(None, "a", "b", "c", attempt=9)
    dispatch = a_dispatch({"a": [BUSY], "b": [LOST], "c": [BUSY, QUOTA]}, batch, ttl=86_400)
    made = planned(dispatch, hours * 3600)
    assert [move_of(made, user).event for user in "abc"] == [None, None, None]
    assert sorted(user for batch in batches(made) for user in batch.users) == ["a", "b", "c"]
    assert all(after(hours * 3600 + 60) <= again.due_at < after(hours * 3600 + 1350) for again in batches(made))


def test_the_last_try_is_due_when_the_notification_expires() -> None:
    [again] = batches(planned(a_dispatch({"a": [BUSY]}, a_batch(None, "a", attempt=9), ttl=86_400), 86_399))
    assert again.due_at == after(86_400)


@pytest.mark.parametrize("outcome", [UNREGISTERED, REJECTED, ACCEPTED])
def test_a_user_reached_by_another_device_before_a_partial_retry_waits_for_confirmation_however_it_ends(
    outcome: Outcome,
) -> None:
    batch = a_batch(None, "u1", devices={"u1": ("d0",)}, attempt=1)
    made = planned(a_dispatch({"u1": [outcome]}, batch))
    assert made.successor is not None
    assert (made.successor.stage, made.successor.users) == (Stage.CONFIRM, ("u1",))


def test_a_partial_retry_that_is_retried_stays_partial() -> None:
    batch = a_batch(None, "u1", devices={"u1": ("d0",)}, attempt=1)
    made = planned(a_dispatch({"u1": [BUSY]}, batch))
    assert made.successor is not None
    assert made.successor.devices == {"u1": ("d0",)}


def test_whom_a_dead_owner_may_have_sent_to_waits_for_confirmation_too() -> None:
    made = planned(a_dispatch({"b": [UNREGISTERED]}, a_batch(None, "a", "b")))
    assert made.successor is not None
    assert (made.successor.stage, made.successor.users) == (Stage.CONFIRM, ("a",))


def test_the_wait_for_confirmation_doubles_and_then_ends() -> None:
    policy = ResendPolicy(900, 2)
    confirms = [
        planned(a_dispatch({"u1": [ACCEPTED]}, a_batch(None, "u1", resends=resends), resend=policy)).successor
        for resends in range(3)
    ]
    assert [confirm and confirm.due_at for confirm in confirms] == [after(900), after(1800), None]


def test_a_confirmation_that_would_come_after_the_expiry_is_not_awaited() -> None:
    assert planned(a_dispatch({"u1": [ACCEPTED]}, ttl=901)).successor is not None
    assert planned(a_dispatch({"u1": [ACCEPTED]}, ttl=900)).successor is None


def test_dead_targets_are_listed_by_reason() -> None:
    dispatch = a_dispatch({"a": [UNREGISTERED, ACCEPTED], "b": [MISMATCH], "c": [UNREGISTERED], "d": [REJECTED]})
    found = {reason: [(user, device) for user, device, _ in devices] for reason, devices in dispatch.dead().items()}
    assert found == {Reason.UNREGISTERED: [("a", "d0"), ("c", "d0")], Reason.SENDER_MISMATCH: [("b", "d0")]}


def test_outcomes_that_do_not_match_the_devices_are_refused() -> None:
    dispatch = replace(a_dispatch({"a": [ACCEPTED], "b": [ACCEPTED]}), outcomes=[ACCEPTED])
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        planned(dispatch)


def test_two_splits_of_one_batch_get_different_keys() -> None:
    dispatch = a_dispatch({"a": [ACCEPTED], "b": [BUSY]})
    rng = seeded()
    keys = {plan(dispatch, NOON + timedelta(seconds=round_), rng).split[0].key for round_ in range(50)}
    assert len(keys) == 50
