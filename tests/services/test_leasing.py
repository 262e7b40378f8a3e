from dataclasses import replace

import pytest

from notify_server.bootstrap import Engine
from notify_server.domain.batch import Rank
from notify_server.errors import DatabaseUnavailable
from notify_server.services.load import Load, Page
from notify_server.storage.batches import Batches
from tests.builders import a_batch, after, at_once
from tests.service import until
from tests.services.interruption import Interrupted, away
from tests.services.scene import LEASE, Scene, claims


@pytest.fixture
def worker(scene: Scene) -> Engine:
    return scene.worker()


def expanded(scene: Scene) -> Load:
    """A batch for push that the scene's engine has in hand."""
    scene.accept("a")
    return scene.expand()


def queued(scene: Scene, users: int, count: int = 1) -> None:
    """So many batches of so many users, due now."""
    for _ in range(count):
        Batches(scene.database).add(a_batch(None, *(f"u{number}" for number in range(users))))


def test_nothing_is_taken_where_nothing_is_due(scene: Scene, worker: Engine) -> None:
    Batches(scene.database).add(a_batch(due_at=after(1)))
    assert not worker.leasing.take()
    scene.clock.forward(1)
    assert len(worker.leasing.take()) == 1


def test_small_batches_are_taken_together_and_each_once(scene: Scene, worker: Engine) -> None:
    queued(scene, users=3, count=60)
    loads = [engine.leasing.take() for engine in (worker, scene.engine) * 2]
    assert [len(load) for load in loads] == [25, 25, 10, 0]
    assert len({page.batch.key for load in loads for page in load}) == 60
    assert all(page.recipients is None and page.batch.due_at == after(LEASE) for load in loads for page in load)


def test_a_large_batch_is_taken_alone(scene: Scene, worker: Engine) -> None:
    queued(scene, users=101, count=2)
    assert [len(worker.leasing.take()) for _ in range(3)] == [1, 1, 0]


def test_a_released_load_is_anyones_at_once_and_others_are_called(scene: Scene, worker: Engine) -> None:
    queued(scene, users=1, count=2)
    load = scene.engine.leasing.take()
    assert not worker.leasing.take()
    scene.engine.leasing.release(load)
    assert len(worker.leasing.take()) == 2
    assert scene.engine.leasing.holder.batches.keys() == set()
    until(lambda: scene.database["signals"].count_documents({}) == 1, "one call for all of them")


def test_what_is_in_hand_is_kept_by_renewing(scene: Scene, worker: Engine) -> None:
    scene.register("a")
    load = expanded(scene)
    for _ in range(5):
        scene.clock.forward(LEASE / 3)
        scene.engine.leasing.renew()
    assert not worker.leasing.take()
    scene.engine.delivery.deliver(load)
    assert scene.accepted() == ["a:phone"]


def test_what_was_taken_is_kept_by_renewing_and_let_go_when_it_is_seen_through(scene: Scene, worker: Engine) -> None:
    queued(scene, users=1, count=2)
    load = worker.leasing.take()
    with worker.leasing.in_hand(load):
        scene.clock.forward(LEASE / 2)
        worker.leasing.renew()
        scene.clock.forward(LEASE / 2)
        assert not scene.engine.leasing.take()
    worker.leasing.renew()
    scene.clock.forward(LEASE / 2)
    assert len(scene.engine.leasing.take()) == 2


def test_what_is_for_many_is_left_where_only_small_audiences_are_asked_for(scene: Scene, worker: Engine) -> None:
    for rank in (Rank.BULK, Rank.HIGH, Rank.PROMPT, Rank.URGENT):
        Batches(scene.database).add(a_batch(None, "a", rank=rank))
    taken = [worker.leasing.take(least=Rank.PROMPT) for _ in range(3)]
    assert [[page.batch.rank for page in load] for load in taken] == [[Rank.URGENT], [Rank.PROMPT], []]


def test_a_narrowed_load_keeps_a_few_in_hand_and_leaves_the_rest_to_anyone(scene: Scene, worker: Engine) -> None:
    devices = {"u1": ("phone",), "u30": ("tablet",)}
    made = a_batch(None, *(f"u{number}" for number in range(40)), devices=devices, attempt=3)
    Batches(scene.database).add(made)
    load = worker.leasing.take()
    scene.clock.forward(LEASE - 1)
    [page] = worker.leasing.narrow(load, 5)
    assert (page.batch.key, page.batch.users) == (made.key, made.users[:5])
    assert (page.batch.devices, page.batch.due_at) == ({"u1": ("phone",)}, after(2 * LEASE - 1))
    assert Batches(scene.database).find(made.key) == page.batch
    assert worker.leasing.holder.batches.keys() == {made.key}
    [rest] = scene.engine.leasing.take()
    assert (rest.batch.users, rest.batch.devices, rest.batch.attempt) == (made.users[5:], {"u30": ("tablet",)}, 3)
    assert (rest.batch.key.page, rest.batch.rank) == (made.key.page, made.rank)


def test_of_many_batches_a_narrowed_load_keeps_one(scene: Scene, worker: Engine) -> None:
    queued(scene, users=3, count=4)
    [page] = worker.leasing.narrow(worker.leasing.take(), 5)
    assert len(page.batch.users) == 3
    assert len(scene.engine.leasing.take()) == 3


def test_recipients_who_are_known_are_narrowed_and_those_who_muted_it_left_out(scene: Scene) -> None:
    users = [f"u{number}" for number in range(9)]
    scene.accept(*users)
    [page] = scene.expand()
    [kept] = scene.engine.leasing.narrow([replace(page, recipients=tuple(users[2:]))], 5)
    assert kept.recipients == kept.batch.users == tuple(users[2:7])
    [rest] = scene.engine.leasing.take()
    assert rest.batch.users == tuple(users[7:])


def test_who_has_lost_the_lease_has_nothing_left_to_narrow(scene: Scene, worker: Engine) -> None:
    queued(scene, users=30)
    load = worker.leasing.take()
    scene.clock.forward(LEASE)
    [page] = scene.engine.leasing.take()
    assert worker.leasing.narrow(load, 5) == []
    assert Batches(scene.database).find(page.batch.key) == page.batch


def test_what_fails_is_let_go(worker: Engine, scene: Scene) -> None:
    queued(scene, users=1)
    load = worker.leasing.take()
    with pytest.raises(ValueError, match="no"), worker.leasing.in_hand(load):
        raise ValueError("no")
    assert worker.leasing.holder.batches.keys() == set()


def test_after_the_database_was_away_a_write_comes_before_a_send(scene: Scene) -> None:
    database = Interrupted(scene.database, 0, away)
    leasing, load = scene.worker(database).leasing, [Page(a_batch())]
    leasing.prove(load)
    assert not database.happened
    with pytest.raises(DatabaseUnavailable), leasing.in_hand([]):
        away()
    leasing.prove([])  # which proves nothing
    assert not database.happened
    with pytest.raises(DatabaseUnavailable):
        leasing.prove(load)
    assert database.happened
    leasing.prove(load)


def test_a_lease_is_held_until_it_has_run_out_and_another_has_taken_over(scene: Scene, worker: Engine) -> None:
    queued(scene, users=1)
    [page] = worker.leasing.take()
    assert worker.leasing.holds(page.batch)
    scene.clock.forward(LEASE)
    assert worker.leasing.holds(page.batch)
    assert len(scene.engine.leasing.take()) == 1
    assert not worker.leasing.holds(page.batch)


def test_a_postponed_batch_is_anyones_long_before_another_lease_time(scene: Scene, worker: Engine) -> None:
    queued(scene, users=1)
    [page] = worker.leasing.take()
    scene.clock.forward(5)
    worker.leasing.postpone(page.batch)
    scene.clock.forward(LEASE / 4 - 1)
    assert not scene.engine.leasing.take()
    scene.clock.forward(1)
    assert len(scene.engine.leasing.take()) == 1


def test_who_has_lost_a_lease_can_neither_renew_nor_release_nor_postpone_it(scene: Scene, worker: Engine) -> None:
    queued(scene, users=1)
    load = worker.leasing.take()
    scene.clock.forward(LEASE)
    [page] = scene.engine.leasing.take()
    worker.leasing.renew()
    worker.leasing.postpone(load[0].batch)
    worker.leasing.release(load)
    assert Batches(scene.database).find(page.batch.key) == page.batch


def test_who_resigns_leaves_everything_to_others_at_once(scene: Scene, worker: Engine) -> None:
    expanded(scene)
    scene.accept("b")
    assert claims(scene.engine)
    assert not worker.leasing.take()
    assert not claims(worker)
    scene.engine.leasing.resign()
    assert len(worker.leasing.take()) == 1
    assert len(claims(worker)) == 1


def test_who_resigns_takes_nothing_from_others(scene: Scene, worker: Engine) -> None:
    expanded(scene)
    worker.leasing.resign()
    assert not worker.leasing.take()
    assert scene.engine.leasing.holder.batches.keys()


def test_threads_of_one_worker_never_take_the_same_batch(scene: Scene, worker: Engine) -> None:
    queued(scene, users=1, count=150)
    keys = [page.batch.key for load in at_once(*[worker.leasing.take] * 6) for page in load]
    assert len(keys) == len(set(keys)) == 150


@pytest.mark.parametrize("small", [True, False])
def test_what_a_thread_has_in_hand_no_other_of_its_worker_takes_though_its_lease_had_run_out(
    scene: Scene, worker: Engine, small: bool
) -> None:
    queued(scene, users=3 if small else 51)
    load = worker.leasing.take()
    with worker.leasing.in_hand(load):
        scene.clock.forward(LEASE)
        queued(scene, users=3 if small else 51)
        [other] = worker.leasing.take() if small else (*worker.leasing.take(), *worker.leasing.take())
        assert other.batch.key != load[0].batch.key
        assert worker.leasing.holds(load[0].batch)
        assert not scene.engine.leasing.take()
        scene.database["signals"].delete_many({})  # nobody waits for those, and one of another test may have come late
    [page] = scene.engine.leasing.take()
    assert page.batch.key == load[0].batch.key
    until(lambda: scene.database["signals"].count_documents({}) == 1, "others are called")


def test_what_is_given_back_while_other_things_are_seen_through_is_anyones(scene: Scene, worker: Engine) -> None:
    queued(scene, users=101, count=2)
    load = [*worker.leasing.take(), *worker.leasing.take()]
    with worker.leasing.in_hand(load):
        worker.leasing.give_back(load[1:])
        assert not worker.leasing.take()
        assert not scene.engine.leasing.take()  # it is leased to the worker, where nobody takes it now
    [page] = scene.engine.leasing.take()
    assert page.batch.key == load[1].batch.key
    assert worker.leasing.holder.batches.keys() == set()


def test_what_was_leased_again_does_not_hide_what_is_free(scene: Scene, worker: Engine) -> None:
    queued(scene, users=51)
    load = worker.leasing.take()
    with worker.leasing.in_hand(load):
        scene.clock.forward(LEASE)
        Batches(scene.database).add(a_batch(None, *load[0].batch.users, due_at=after(LEASE)))
        [other] = worker.leasing.take()
        assert other.batch.key != load[0].batch.key


def test_what_another_thread_was_done_with_while_it_was_leased_again_is_read_anew(scene: Scene) -> None:
    """The copy that was leased is of before: another thread has narrowed it, or made a retry of it."""

    def settle() -> None:
        with engine.leasing.in_hand([first]):
            free = {"attempt": 1, "due_at": after(LEASE), "owner": None}
            scene.database["batches"].update_one({}, {"$set": free})

    engine = scene.worker(Interrupted(scene.database, 3, settle))
    queued(scene, users=1)
    [first] = engine.leasing.take()  # two operations, and then the first of another two
    scene.clock.forward(LEASE)
    found = engine.leasing.take()
    assert [page.batch.attempt for page in found] == [1]
