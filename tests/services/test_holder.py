from notify_server.services.holder import Holder
from tests.builders import NOON, StoppedClock, a_batch, after


def test_a_lease_taken_now_ends_after_its_time() -> None:
    clock = StoppedClock()
    holder = Holder("one", 30.0, clock)
    assert (holder.now(), holder.until()) == (NOON, after(30))
    clock.forward(5)
    assert (holder.now(), holder.until()) == (after(5), after(35))


def test_each_holder_has_a_hand_of_its_own() -> None:
    one, other = Holder("one", 30.0, StoppedClock()), Holder("two", 30.0, StoppedClock())
    one.batches.grasp([a_batch().key])
    one.audiences.add("n1")
    assert (other.batches.keys(), other.audiences) == (set(), set())
