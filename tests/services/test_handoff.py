from collections.abc import Callable
from threading import Thread

import pytest

from notify_server.domain.batch import Rank
from notify_server.services.handoff import Handoff
from notify_server.services.load import Load, Page
from notify_server.storage.signals import Work
from tests.builders import a_batch
from tests.service import until

LONG = 60.0  # seconds: longer than any test may take


def a_load(user: str, rank: Rank = Rank.BULK) -> Load:
    return [Page(a_batch(None, user, rank=rank), (user,))]


def who(load: Load) -> list[str]:
    return [user for page in load for user in page.recipients or ()]


@pytest.fixture
def handoff() -> Handoff:
    return Handoff(room=2)


def test_loads_are_taken_in_their_order_and_urgent_ones_first() -> None:
    handoff = Handoff(room=4)
    ranks = (Rank.BULK, Rank.HIGH, Rank.PROMPT, Rank.URGENT)
    for number in "12":
        assert all(handoff.offer(a_load(f"{rank.name} {number}", rank), 0) for rank in ranks)
    taken = [handoff.take() for _ in range(9)]
    names = [f"{name} {number}" for name in ("URGENT", "PROMPT", "HIGH", "BULK") for number in "12"]
    assert [who(load) for load in taken] == [*([name] for name in names), []]


def test_the_first_is_the_most_urgent_rank_that_is_there(handoff: Handoff) -> None:
    assert handoff.first is None
    for rank in (Rank.BULK, Rank.HIGH):
        handoff.offer(a_load(rank.name, rank), 0)
    assert handoff.first is Rank.HIGH
    handoff.take()
    assert handoff.first is Rank.BULK


def test_a_load_stays_together(handoff: Handoff) -> None:
    load = [*a_load("a", Rank.PROMPT), *a_load("b", Rank.PROMPT)]
    assert handoff.offer(load, 0)
    assert handoff.take() == load
    assert not handoff.take()


def test_a_full_handoff_refuses_after_patience(handoff: Handoff) -> None:
    assert [handoff.offer(a_load(user), 0.01) for user in "abc"] == [True, True, False]
    assert [who(handoff.take()) for _ in range(3)] == [["a"], ["b"], []]


def test_each_rank_has_room_of_its_own(handoff: Handoff) -> None:
    assert [handoff.offer(a_load("a"), 0) for _ in range(3)] == [True, True, False]
    assert handoff.offer(a_load("urgent", Rank.URGENT), 0)
    assert who(handoff.take()) == ["urgent"]


def test_an_offer_waits_for_room(handoff: Handoff) -> None:
    for user in "ab":
        handoff.offer(a_load(user), 0)
    offered: list[bool] = []
    offering = Thread(target=lambda: offered.append(handoff.offer(a_load("late"), LONG)))
    offering.start()
    assert who(handoff.take()) == ["a"]
    offering.join()
    assert offered == [True]
    assert [who(handoff.take()) for _ in range(3)] == [["b"], ["late"], []]


def test_who_takes_what_is_small_leaves_the_rest(handoff: Handoff) -> None:
    for rank in (Rank.BULK, Rank.HIGH, Rank.PROMPT, Rank.URGENT):
        handoff.offer(a_load(rank.name, rank), 0)
    assert [who(handoff.take(small=True)) for _ in range(3)] == [["URGENT"], ["PROMPT"], []]
    assert [who(handoff.take()) for _ in range(3)] == [["HIGH"], ["BULK"], []]


@pytest.mark.parametrize("rank", [Rank.URGENT, Rank.PROMPT])
def test_while_all_are_busy_a_small_load_ends_the_wait_for_one(handoff: Handoff, rank: Rank) -> None:
    waiting = Thread(target=handoff.wait_for_small, args=(LONG,))
    waiting.start()
    handoff.offer(a_load("broadcast"), 0)
    handoff.offer(a_load("a", rank), 0)
    waiting.join()
    assert who(handoff.take(small=True)) == ["a"]


def test_while_all_are_busy_a_call_ends_the_wait_for_small_loads_once(handoff: Handoff) -> None:
    handoff.wake()
    handoff.wait_for_small(LONG)
    handoff.offer(a_load("broadcast"), 0)
    handoff.wait_for_small(0.01)
    assert not handoff.take(small=True)


def test_as_long_as_a_dispatcher_is_idle_a_small_load_is_its_own(handoff: Handoff) -> None:
    ended: list[str] = []

    def wait(name: str, waits: Callable[[float], None]) -> None:
        waits(LONG)
        ended.append(name)

    dispatcher = Thread(target=wait, args=("dispatcher", handoff.wait))
    express = Thread(target=wait, args=("express", handoff.wait_for_small))
    dispatcher.start()
    until(lambda: handoff._idle == 1)
    express.start()
    handoff.offer(a_load("a", Rank.URGENT), 0)
    for thread in (dispatcher, express):
        thread.join()
    assert ended[0] == "dispatcher"


def test_a_call_between_reading_and_waiting_is_not_missed(handoff: Handoff) -> None:
    calls = handoff.calls(Work.LARGE)
    handoff.wake()
    handoff.wait_for_call(Work.LARGE, calls, LONG)
    handoff.wait(LONG)
    assert handoff.calls(Work.LARGE) == calls + 1


def test_a_call_for_one_kind_of_work_is_none_for_another(handoff: Handoff) -> None:
    handoff.wake({Work.BRIEF})
    assert {work: handoff.calls(work) for work in Work} == dict.fromkeys(Work, 0) | {Work.BRIEF: 1}
    waiting = Thread(target=handoff.wait, args=(LONG,))
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    handoff.wake({Work.PUSH})
    waiting.join()
    assert handoff.calls(Work.BRIEF) == 1


def test_a_call_ends_the_waits_of_the_expander_and_of_a_dispatcher(handoff: Handoff) -> None:
    calls = handoff.calls(Work.BRIEF)
    expander = Thread(target=handoff.wait_for_call, args=(Work.BRIEF, calls, LONG))
    waiting = [expander, Thread(target=handoff.wait, args=(LONG,))]
    for thread in waiting:
        thread.start()
    handoff.wake()
    for thread in waiting:
        thread.join()
    assert handoff.calls(Work.BRIEF) == calls + 1


def test_each_dispatcher_that_finds_work_wakes_another(handoff: Handoff) -> None:
    found: list[str] = []

    def dispatch(name: str) -> None:
        handoff.wait(LONG)
        found.append(name)
        handoff.wake_another()

    waiting = [Thread(target=dispatch, args=(name,)) for name in "abc"]
    for thread in waiting:
        thread.start()
    handoff.wake()
    for thread in waiting:
        thread.join()
    assert sorted(found) == ["a", "b", "c"]
    assert handoff.calls(Work.PUSH) == 1


def test_a_load_ends_the_wait_of_a_dispatcher(handoff: Handoff) -> None:
    waiting = Thread(target=handoff.wait, args=(LONG,))
    waiting.start()
    handoff.offer(a_load("a"), 0)
    waiting.join()
    handoff.wait(LONG)
    assert who(handoff.take()) == ["a"]


def test_a_wait_in_vain_ends(handoff: Handoff) -> None:
    handoff.wait(0.01)
    handoff.wait_for_call(Work.EMAIL, handoff.calls(Work.EMAIL), 0.01)
    assert not handoff.take()


def test_many_threads_hand_over_every_load_once() -> None:
    handoff, taken = Handoff(room=3), list[str]()

    def give(name: str) -> None:
        for number in range(50):
            assert handoff.offer(a_load(f"{name}{number}"), LONG)

    def get() -> None:
        while len(taken) < 200:
            load = handoff.take()
            if load:
                taken.extend(who(load))
            else:
                handoff.wait(0.001)

    threads = [*(Thread(target=give, args=(name,)) for name in "abcd"), *(Thread(target=get) for _ in range(3))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 200
