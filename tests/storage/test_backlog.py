from dataclasses import replace

import pytest

from notify_server.domain.batch import Rank, Stage
from notify_server.domain.notification import Channel
from notify_server.storage.backlog import Backlog
from notify_server.storage.batches import Batches
from notify_server.storage.documents import Store, new_id
from tests.builders import NOON, a_batch, after, at_once
from tests.storage.test_batches import leased


@pytest.fixture
def batches(database: Store) -> Batches:
    return Batches(database)


@pytest.fixture
def backlog(database: Store) -> Backlog:
    return Backlog(database)


def test_a_batch_is_recalled_when_its_time_to_be_confirmed_is_over_and_only_then(
    backlog: Backlog, batches: Batches
) -> None:
    due, early = a_batch(stage=Stage.CONFIRM, resends=1), a_batch(stage=Stage.CONFIRM, due_at=after(1))
    waiting = a_batch(due_at=after(-5))
    for batch in (due, early, waiting):
        batches.add(batch)
    assert backlog.recall(NOON) == 1
    assert backlog.recall(NOON) == 0
    assert batches.find(due.key) == replace(due, stage=Stage.DISPATCH, resends=2)
    assert [batches.find(batch.key) for batch in (early, waiting)] == [early, waiting]


def test_of_two_schedulers_one_recalls_a_batch(backlog: Backlog, batches: Batches, database: Store) -> None:
    for _ in range(50):
        batches.add(a_batch(stage=Stage.CONFIRM))
    assert sum(at_once(*(lambda: backlog.recall(NOON) for _ in range(3)))) == 50
    assert set(database["batches"].distinct("resends")) == {1}


def test_reaping_takes_the_names_of_dead_owners_off_and_of_no_others(backlog: Backlog, batches: Batches) -> None:
    dead, living = leased(batches, a_batch()), leased(batches, a_batch())
    batches.renew([living.key], "one", after(60))
    assert backlog.reap(after(30)) == 1
    assert backlog.reap(after(30)) == 0
    assert [found and found.owner for found in map(batches.find, [dead.key, living.key])] == [None, "one"]


def test_a_notification_is_dispatching_while_any_batch_of_it_waits_to_be_sent(
    backlog: Backlog, batches: Batches
) -> None:
    notification = new_id()
    batches.add(a_batch(notification, page="a", stage=Stage.CONFIRM))
    batches.add(a_batch(notification, page="b", stage=Stage.ANNOUNCE))
    batches.add(a_batch())
    assert backlog.dispatching([notification, new_id()]) == set()
    batches.add(a_batch(notification, page="c", due_at=after(60), owner="one"))
    assert backlog.dispatching([notification, new_id()]) == {notification}


def test_dropping_removes_every_batch_of_a_notification_and_of_no_other(backlog: Backlog, batches: Batches) -> None:
    notification, other = new_id(), a_batch()
    for stage in Stage:
        batches.add(a_batch(notification, page=stage.value, stage=stage))
    batches.add(other)
    assert backlog.drop(notification) == 3
    assert batches.find(other.key) == other


def test_who_is_in_a_leased_batch_is_held_and_nobody_else(backlog: Backlog, batches: Batches) -> None:
    notification = new_id()
    batches.add(a_batch(notification, "a", "b", page="1", owner="one", due_at=after(1)))
    batches.add(a_batch(notification, "c", page="2", owner="dead", due_at=NOON))
    batches.add(a_batch(notification, "d", page="3"))
    batches.add(a_batch(notification, "e", page="4", due_at=after(60)))
    batches.add(a_batch(None, "f", owner="one", due_at=after(1)))
    assert backlog.held(notification, NOON) == {"a", "b"}


def test_withdrawing_leaves_what_is_leased_and_what_an_expansion_may_read_back(
    backlog: Backlog, batches: Batches
) -> None:
    notification = new_id()
    leased = a_batch(notification, page="", owner="one", due_at=after(1))
    unwritten = a_batch(notification, page="m")
    free = [
        a_batch(notification, page="a", owner="dead", due_at=NOON),
        a_batch(notification, page="b", due_at=after(60)),
        a_batch(notification, page="c", stage=Stage.CONFIRM),
        a_batch(notification, page="d", stage=Stage.ANNOUNCE, channel=Channel.REALTIME),
    ]
    for batch in (leased, unwritten, *free, a_batch(page="a")):
        batches.add(batch)
    assert backlog.withdraw(notification, "m", NOON) == 4
    assert [batches.find(batch.key) for batch in (leased, unwritten)] == [leased, unwritten]
    assert backlog.withdraw(notification, None, NOON) == 1
    assert backlog.withdraw(notification, None, after(1)) == 1


def test_what_was_settled_in_time_is_recalled_at_once_and_only_once(backlog: Backlog, batches: Batches) -> None:
    notification = new_id()
    waits = {0: 10, 1: 20}
    settled = {
        page: a_batch(notification, page=page, stage=Stage.CONFIRM, resends=resends, due_at=after(at + waits[resends]))
        for page, resends, at in (("a", 0, -5), ("b", 1, 0), ("c", 0, 1), ("d", 1, 1))
    }
    others = [a_batch(stage=Stage.CONFIRM), a_batch(notification, page="e")]
    for batch in (*settled.values(), *others):
        batches.add(batch)
    assert backlog.recall_settled(notification, [10, 20], NOON, after(3)) == 2
    assert backlog.recall_settled(notification, [10, 20], NOON, after(3)) == 0
    for page, resends in (("a", 1), ("b", 2)):
        recalled = replace(settled[page], stage=Stage.DISPATCH, resends=resends, due_at=after(3))
        assert batches.find(recalled.key) == recalled
    untouched = [settled["c"], settled["d"], *others]
    assert [batches.find(batch.key) for batch in untouched] == untouched


def test_what_is_queued_is_counted_up_to_a_limit(backlog: Backlog, batches: Batches) -> None:
    notification = new_id()
    for page in ("a", "b", "c"):
        batches.add(a_batch(notification, page=page))
    batches.add(a_batch(notification, page="d", stage=Stage.CONFIRM))
    batches.add(a_batch())
    assert [backlog.queued(notification, limit) for limit in (2, 9)] == [2, 3]


@pytest.mark.parametrize(
    ("stage", "channel", "left"),
    [
        (Stage.DISPATCH, Channel.PUSH, True),
        (Stage.CONFIRM, Channel.PUSH, True),
        (Stage.ANNOUNCE, Channel.REALTIME, False),
    ],
)
def test_what_waits_to_be_sent_or_sent_again_is_left_and_what_was_announced_is_not(
    backlog: Backlog, batches: Batches, stage: Stage, channel: Channel, left: bool
) -> None:
    notification = new_id()
    batches.add(a_batch(new_id(), "u1"))
    assert not backlog.left(notification)
    batches.add(a_batch(notification, "u1", stage=stage, channel=channel))
    assert backlog.left(notification) is left


def test_the_batch_that_waits_longest_tells_the_age_of_the_queue(backlog: Backlog, batches: Batches) -> None:
    assert backlog.oldest_due(Channel.PUSH, NOON) is None
    for batch in (
        a_batch(due_at=after(-5)),
        a_batch(due_at=after(-9), rank=Rank.HIGH),
        a_batch(due_at=after(-99), stage=Stage.CONFIRM),
        a_batch(due_at=after(-99), channel=Channel.EMAIL),
        a_batch(due_at=after(9)),
    ):
        batches.add(batch)
    assert backlog.oldest_due(Channel.PUSH, NOON) == after(-9)


def test_announcements_come_in_the_order_of_their_numbers(backlog: Backlog, batches: Batches) -> None:
    made = [
        batches.add(a_batch(stage=Stage.ANNOUNCE, channel=Channel.REALTIME, sequence=sequence))
        for sequence in (5, 3, 4, None, 9)
    ]
    assert backlog.announced(3, 2) == [made[2], made[0]]
    assert backlog.announced(9, 2) == []
