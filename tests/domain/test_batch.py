from notify_server.domain.batch import SIZE, Batch, Rank, Stage
from notify_server.domain.notification import Channel, Priority
from tests.builders import NOON, after


def test_high_priority_goes_before_normal_and_what_is_small_before_what_is_big() -> None:
    small = [Rank.of(priority, small=True) for priority in (Priority.HIGH, Priority.NORMAL)]
    big = [Rank.of(priority) for priority in (Priority.HIGH, Priority.NORMAL)]
    assert [*small, *big] == sorted(Rank)
    assert [rank.small for rank in (*small, *big)] == [True, True, False, False]


def test_a_batch_holds_500_recipients() -> None:
    assert SIZE == 500


def test_whoever_notices_a_new_device_makes_the_same_batch() -> None:
    one, other = Batch.awaited("n1", "u1", NOON), Batch.awaited("n1", "u1", after(1))
    assert one.key == other.key
    assert one.key != Batch.awaited("n1", "u2", NOON).key
    assert one.key != Batch.awaited("n2", "u1", NOON).key


def test_who_has_waited_for_a_device_is_sent_to_at_once_and_before_what_is_big() -> None:
    batch = Batch.awaited("n1", "u1", NOON)
    assert (batch.users, batch.due_at, batch.rank) == (("u1",), NOON, Rank.PROMPT)
    assert (batch.key.channel, batch.stage, batch.owner) == (Channel.PUSH, Stage.DISPATCH, None)
