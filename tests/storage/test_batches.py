from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import BulkWriteError
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from notify_server.domain.batch import Batch, Rank, Stage
from notify_server.domain.notification import Channel
from notify_server.storage.batches import Batches, Settled
from notify_server.storage.documents import Document, Store, new_id
from tests.builders import NOON, a_batch, after, at_once


@pytest.fixture
def batches(database: Store) -> Batches:
    return Batches(database)


def leased(batches: Batches, batch: Batch, owner: str = "one") -> Batch:
    """`batch`, stored and leased to `owner` until 30 seconds after NOON."""
    batches.add(batch)
    (found,) = batches.lease(Channel.PUSH, owner, NOON, after(30))
    assert found.key == batch.key
    return found


def take(batches: Batches, owner: str = "two", now: datetime = NOON) -> list[Batch]:
    return batches.lease(Channel.PUSH, owner, now, after(9999))


def settle(batches: Batches, batch: Batch, successor: Batch | None = None, split: Sequence[Batch] = ()) -> bool:
    """Whether owner `one` still had the lease."""
    return batches.settle([Settled(batch, successor, split)], "one") == 0


def large(**fields: Any) -> Batch:
    """Too many users for others to be leased with it."""
    return a_batch(None, *(f"u{number:03}" for number in range(101)), **fields)


def everything(database: Store) -> Sequence[object]:
    return list(database["batches"].find())


def test_a_batch_made_again_is_the_one_that_was_stored_first(batches: Batches) -> None:
    first = a_batch(None, "a", "b", owner="dead")
    again = replace(first, users=("a", "c"), owner="one", due_at=after(30))
    assert batches.add(first) == first
    assert batches.add(again) == first
    assert batches.find(first.key) == first


def test_a_batch_that_is_called_while_it_is_dispatched_is_not_settled(batches: Batches, database: Store) -> None:
    batch = leased(batches, a_batch(None, "u1"))
    batches.call(batch)
    assert not settle(batches, batch)
    batches.give_back(batch, "one", NOON)
    [again] = take(batches, "one")
    assert settle(batches, again)
    assert everything(database) == []


def test_calling_a_batch_that_is_not_there_makes_it(batches: Batches) -> None:
    batch = a_batch(None, "u1")
    batches.call(batch)
    assert [found.key for found in take(batches)] == [batch.key]


class Settles(CommandListener):
    """Whoever dispatches a batch ends it before somebody who found it there has looked at it."""

    def __init__(self, database: Store) -> None:
        self._database = database
        self.happened = False

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name == "find" and not self.happened:
            self.happened = True
            self._database["batches"].delete_many({})

    def succeeded(self, event: CommandSucceededEvent) -> None:
        pass

    def failed(self, event: CommandFailedEvent) -> None:
        pass


def test_a_batch_that_goes_while_it_is_called_is_made_anew(mongodb_uri: str, database: Store) -> None:
    settles = Settles(database)
    with MongoClient[Document](mongodb_uri, tz_aware=True, event_listeners=[settles]) as client:
        batch = Batches(database).add(a_batch(None, "u1"))
        Batches(client[database.name]).call(batch)
    assert settles.happened
    assert Batches(database).find(batch.key) == batch


def test_no_batch_is_found_under_a_key_of_another_page_part_or_channel(batches: Batches) -> None:
    batch = a_batch(page="u500")
    batches.add(batch)
    others = {"page": ""}, {"part": "1"}, {"channel": Channel.REALTIME}, {"notification": new_id()}
    assert [batches.find(replace(batch.key, **other)) for other in others] == [None] * 4


def test_the_most_urgent_batch_is_leased_first(batches: Batches) -> None:
    made = [
        batches.add(large(rank=rank, due_at=after(due)))
        for rank, due in [(Rank.BULK, -99), (Rank.HIGH, -50), (Rank.PROMPT, -1), (Rank.PROMPT, -9), (Rank.URGENT, 0)]
    ]
    found = [[batch.key for batch in take(batches)] for _ in range(6)]
    assert found == [[made[number].key] for number in (4, 3, 2, 1, 0)] + [[]]


def test_small_batches_of_one_rank_are_leased_together_up_to_25(batches: Batches) -> None:
    small = [batches.add(a_batch(rank=Rank.PROMPT, due_at=after(-number))).key for number in range(27)]
    batches.add(large(rank=Rank.PROMPT, due_at=after(-20.5)))
    batches.add(a_batch(rank=Rank.BULK, due_at=after(-99)))
    batches.add(a_batch(rank=Rank.PROMPT, channel=Channel.EMAIL))
    together = take(batches)
    assert {batch.key for batch in together} == set(small[2:])
    assert {(batch.owner, batch.due_at) for batch in together} == {("two", after(9999))}


def test_small_batches_are_leased_together_up_to_a_page(batches: Batches) -> None:
    crowd = [f"u{number:03}" for number in range(100)]
    small = [batches.add(a_batch(None, *crowd, due_at=after(number))).key for number in range(5)]
    more = [batches.add(a_batch(None, *crowd[:size], due_at=after(9 + size))).key for size in (99, 100)]
    leases = [{batch.key for batch in take(batches, now=after(999))} for _ in range(2)]
    assert leases == [set(small), set(more)]


def test_a_large_batch_is_leased_alone(batches: Batches) -> None:
    first = batches.add(large(due_at=after(-1)))
    small = batches.add(a_batch())
    assert [batch.key for batch in take(batches)] == [first.key]
    assert [batch.key for batch in take(batches)] == [small.key]


@pytest.mark.parametrize(
    "batch",
    [
        a_batch(due_at=after(1)),
        a_batch(stage=Stage.CONFIRM),
        a_batch(stage=Stage.ANNOUNCE, channel=Channel.REALTIME),
        a_batch(channel=Channel.EMAIL),
    ],
    ids=["not due", "to be confirmed", "to be announced", "another channel"],
)
def test_only_a_due_batch_to_dispatch_on_the_channel_is_leased(batches: Batches, batch: Batch) -> None:
    batches.add(batch)
    assert take(batches) == []


def test_a_lease_names_its_owner_and_hides_the_batch_until_it_runs_out(batches: Batches) -> None:
    mine = leased(batches, a_batch())
    assert (mine.owner, mine.due_at) == ("one", after(30))
    assert take(batches, now=after(29)) == []
    (found,) = take(batches, now=after(30))
    assert (found.key, found.owner) == (mine.key, "two")


def test_a_batch_is_leased_by_one_of_many_at_once(batches: Batches) -> None:
    for number in range(20):
        batches.add(large() if number % 2 else a_batch())
    shares = at_once(*(lambda n=n: [take(batches, f"w{n}") for _ in range(20)] for n in range(4)))
    taken = [batch.key for share in shares for load in share for batch in load]
    assert len(taken) == len(set(taken)) == 20


def test_a_batch_given_back_is_anyones_from_the_time_named(batches: Batches) -> None:
    batches.give_back(leased(batches, a_batch()), "one", after(5))
    assert take(batches, now=after(4)) == []
    assert len(take(batches, now=after(5))) == 1


def test_nobody_gives_back_what_another_has_leased(batches: Batches, database: Store) -> None:
    mine = leased(batches, a_batch())
    before = everything(database)
    batches.give_back(mine, "two", NOON)
    assert everything(database) == before


def test_a_settled_batch_without_successor_goes(batches: Batches, database: Store) -> None:
    assert settle(batches, leased(batches, a_batch()))
    assert everything(database) == []


def test_a_settled_batch_becomes_its_successor(batches: Batches) -> None:
    mine = leased(batches, a_batch(None, "a", "b"))
    successor = replace(mine, users=("a",), stage=Stage.CONFIRM, due_at=after(900), owner=None)
    assert settle(batches, mine, successor)
    assert batches.find(mine.key) == successor


@pytest.mark.parametrize("kept", [True, False])
def test_a_settled_batch_is_split(batches: Batches, database: Store, kept: bool) -> None:
    mine = leased(batches, a_batch(None, "a", "b", "c"))
    successor = replace(mine, users=("a",), owner=None) if kept else None
    split = [a_batch(mine.key.notification, user, part=user) for user in "bc"]
    assert settle(batches, mine, successor, split)
    assert [batches.find(part.key) for part in split] == split
    assert batches.find(mine.key) == successor
    assert len(everything(database)) == 2 + kept


@pytest.mark.parametrize("split", [0, 2])
@pytest.mark.parametrize("kept", [True, False])
def test_a_lost_lease_settles_nothing(batches: Batches, database: Store, split: int, kept: bool) -> None:
    mine = leased(batches, a_batch(None, "a", "b"))
    take(batches, "two", after(30))
    before = everything(database)
    parts = [a_batch(mine.key.notification, part=str(number)) for number in range(split)]
    assert not settle(batches, mine, replace(mine, owner=None) if kept else None, parts)
    assert everything(database) == before


@pytest.mark.parametrize("split", [0, 1])
def test_a_batch_is_settled_once(batches: Batches, split: int) -> None:
    mine = leased(batches, a_batch(None, "a", "b"))
    parts = [a_batch(mine.key.notification, part=str(number)) for number in range(split)]
    assert settle(batches, mine, replace(mine, owner=None), parts)
    assert not settle(batches, mine)
    assert batches.find(mine.key) is not None


@pytest.mark.parametrize("kept", [True, False])
def test_a_split_that_fails_half_way_leaves_everything_as_it_was(batches: Batches, database: Store, kept: bool) -> None:
    mine = leased(batches, a_batch(None, "a", "b", "c"))
    taken = a_batch(mine.key.notification, part="taken")
    batches.add(taken)
    before = everything(database)
    successor = replace(mine, users=("a",), owner=None) if kept else None
    with pytest.raises(BulkWriteError):
        settle(batches, mine, successor, [a_batch(mine.key.notification, part="free"), taken])
    assert everything(database) == before


def test_batches_are_settled_together_and_those_lost_are_counted(batches: Batches, database: Store) -> None:
    gone, changed, parted, lost, lost_parted = (leased(batches, a_batch(None, "a", "b")) for _ in range(5))
    for batch in (lost, lost_parted):
        batches.give_back(batch, "one", NOON)
    stolen = take(batches)
    assert {batch.key for batch in stolen} == {lost.key, lost_parted.key}
    successor = replace(changed, stage=Stage.CONFIRM, due_at=after(900), owner=None)
    parts = [a_batch(batch.key.notification, "b", part="b") for batch in (parted, lost_parted)]
    settled = [Settled(gone), Settled(changed, successor), Settled(parted, None, parts[:1])]
    assert batches.settle([*settled, Settled(lost), Settled(lost_parted, None, parts[1:])], "one") == 2
    assert [batches.find(batch.key) for batch in (gone, changed, parted, *parts)] == [
        None,
        successor,
        None,
        parts[0],
        None,
    ]
    assert len(everything(database)) == 4


def test_of_batches_stored_together_those_that_were_there_stay_and_are_named(batches: Batches) -> None:
    made = [a_batch(), a_batch(), a_batch()]
    assert batches.add_all(made[:2]) == set()
    assert batches.add_all([replace(made[1], users=("other",)), made[2]]) == {made[1].key}
    assert [batches.find(batch.key) for batch in made] == made


def test_of_two_that_settle_at_once_one_does(batches: Batches, database: Store) -> None:
    for _ in range(10):
        mine = leased(batches, a_batch(None, "a", "b"))
        parts = [[a_batch(mine.key.notification, part=f"{side}{n}") for n in range(2)] for side in "xy"]
        done = at_once(*(lambda mine=mine, split=split: settle(batches, mine, None, split) for split in parts))
        assert sorted(done) == [False, True]
        assert len(everything(database)) == 2
        database["batches"].delete_many({})


def test_a_renewed_lease_lasts_longer_and_no_other_does(batches: Batches) -> None:
    mine, also_mine, theirs = (leased(batches, a_batch(), owner) for owner in ("one", "one", "two"))
    free = a_batch(due_at=after(7))
    batches.add(free)
    batches.renew([mine.key, theirs.key, free.key], "one", after(60))
    due = [found and found.due_at for found in map(batches.find, [mine.key, also_mine.key, theirs.key, free.key])]
    assert due == [after(60), after(30), after(30), after(7)]


def test_a_lost_lease_is_not_renewed(batches: Batches) -> None:
    mine = leased(batches, a_batch())
    take(batches, "two", after(30))
    batches.renew([mine.key], "one", after(60))
    found = batches.find(mine.key)
    assert found is not None
    assert (found.owner, found.due_at) == ("two", after(9999))


def test_who_resigns_leaves_everything_to_others_at_once(batches: Batches) -> None:
    mine, also_mine, theirs = (leased(batches, a_batch(), owner) for owner in ("one", "one", "two"))
    batches.resign("one", after(1))
    assert {batch.key for batch in take(batches, "three", after(1))} == {mine.key, also_mine.key}
    assert batches.find(theirs.key) == theirs
