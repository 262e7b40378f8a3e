from notify_server.services.in_hand import InHand
from tests.builders import a_batch, at_once

ONE, TWO, THREE = (a_batch().key for _ in range(3))


def test_what_is_free_is_grasped_and_what_another_thread_has_is_not() -> None:
    hand = InHand()
    assert hand.grasp([ONE, TWO]) == {ONE, TWO}
    assert hand.grasp([TWO, THREE]) == {THREE}
    assert hand.keys() == {ONE, TWO, THREE}


def test_who_drops_what_was_leased_again_for_nobody_is_told_so_once() -> None:
    hand = InHand()
    hand.grasp([ONE, TWO])
    hand.grasp([TWO])
    assert hand.drop([ONE, TWO, THREE]) == [TWO]
    assert hand.keys() == set()
    assert hand.grasp([TWO]) == {TWO}
    assert hand.drop([TWO]) == []


def test_of_many_threads_one_has_it() -> None:
    hand = InHand()
    for key in (a_batch().key for _ in range(50)):
        assert sorted(map(len, at_once(*[lambda key=key: hand.grasp([key])] * 4))) == [0, 0, 0, 1]
