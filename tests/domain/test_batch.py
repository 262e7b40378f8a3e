from notify_server.domain.batch import SIZE, Batch, Rank, Stage
from notify_server.domain.notification import Channel, Priority
from tests.builders import NOON, after


def test_high_priority_goes_before_normal() -> None:
    assert Rank.of(Priority.HIGH) < Rank.of(Priority.NORMAL)
    assert sorted(Rank) == list(Rank)


def test_a_batch_holds_500_recipients() -> None:
    assert SIZE == 500


def test_whoever_notices_a_new_device_makes_the_same_batch() -> None:
    one, other = Batch.awaited("n1", "u1", NOON), Batch.awaited("n1", "u1", after(1))
    assert one.key == other.key
    assert one.key != Batch.awaited("n1", "u2", NOON).key
    assert one.key != Batch.awaited("n2", "u1", NOON).key


def test_who_has_waited_for_a_device_is_sent_to_at_once_and_before_others() -> None:
    batch = Batch.awaited("n1", "u1", NOON)
    assert (batch.users, batch.due_at, batch.rank) == (("u1",), NOON, Rank.HIGH)
    assert (batch.key.channel, batch.stage, batch.owner) == (Channel.PUSH, Stage.DISPATCH, None)
