from threading import Thread

import pytest

from notify_server.domain.batch import Rank
from notify_server.services.expansion import Page
from notify_server.services.handoff import Handoff
from tests.builders import a_batch

LONG = 60.0  # seconds: longer than any test may take


def a_page(user: str, rank: Rank = Rank.NORMAL) -> Page:
    return Page(a_batch(None, user, rank=rank), (user,))


@pytest.fixture
def handoff() -> Handoff:
    return Handoff(room=2)


def test_pages_are_taken_in_their_order_and_high_rank_before_normal(handoff: Handoff) -> None:
    handoff = Handoff(room=4)
    pages = [a_page("n1"), a_page("h1", Rank.HIGH), a_page("n2"), a_page("h2", Rank.HIGH)]
    assert all(handoff.offer(page, 0) for page in pages)
    taken = [handoff.take() for _ in range(5)]
    assert [page and page.recipients[0] for page in taken] == ["h1", "h2", "n1", "n2", None]


def test_a_full_handoff_refuses_after_patience(handoff: Handoff) -> None:
    assert [handoff.offer(a_page("a"), 0.01) for _ in range(3)] == [True, True, False]
    assert len(handoff) == 2


def test_an_offer_waits_for_room(handoff: Handoff) -> None:
    for _ in range(2):
        handoff.offer(a_page("a"), 0)
    offered: list[bool] = []
    offering = Thread(target=lambda: offered.append(handoff.offer(a_page("late"), LONG)))
    offering.start()
    assert handoff.take() is not None
    offering.join()
    assert offered == [True]
    assert len(handoff) == 2


@pytest.mark.parametrize("way", ["wait", "wait_for_call"])
def test_a_call_between_reading_and_waiting_is_not_missed(handoff: Handoff, way: str) -> None:
    calls = handoff.calls
    handoff.wake()
    getattr(handoff, way)(calls, LONG)
    assert handoff.calls == calls + 1


@pytest.mark.parametrize("way", ["wait", "wait_for_call"])
def test_a_call_ends_the_wait(handoff: Handoff, way: str) -> None:
    calls = handoff.calls
    waiting = Thread(target=getattr(handoff, way), args=(calls, LONG))
    waiting.start()
    handoff.wake()
    waiting.join()
    assert handoff.calls == calls + 1


def test_a_page_ends_the_wait_of_a_dispatcher(handoff: Handoff) -> None:
    waiting = Thread(target=handoff.wait, args=(handoff.calls, LONG))
    waiting.start()
    handoff.offer(a_page("a"), 0)
    waiting.join()
    handoff.wait(handoff.calls, LONG)
    assert len(handoff) == 1


def test_a_wait_in_vain_ends(handoff: Handoff) -> None:
    handoff.wait(handoff.calls, 0.01)
    handoff.wait_for_call(handoff.calls, 0.01)
    assert handoff.take() is None


def test_many_threads_hand_over_every_page_once() -> None:
    handoff, taken = Handoff(room=3), list[str]()

    def give(name: str) -> None:
        for number in range(50):
            assert handoff.offer(a_page(f"{name}{number}"), LONG)

    def get() -> None:
        while len(taken) < 200:
            page = handoff.take()
            if page is None:
                handoff.wait(handoff.calls, 0.001)
            else:
                taken.append(page.recipients[0])

    threads = [*(Thread(target=give, args=(name,)) for name in "abcd"), *(Thread(target=get) for _ in range(3))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 200
