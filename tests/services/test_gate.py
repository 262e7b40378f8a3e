import pytest

from notify_server.domain.notification import Channel
from notify_server.domain.registry import Note
from notify_server.services.gate import Gate
from notify_server.services.load import Page
from notify_server.storage.batches import Batches, Settled
from notify_server.storage.expansions import Expansions
from notify_server.storage.joint import Joint
from notify_server.storage.registry import Registry
from tests.builders import a_batch, after
from tests.services.scene import LEASE, Scene

BOTH = (Channel.PUSH, Channel.EMAIL)


def gate(scene: Scene) -> Gate:
    database = scene.database
    return Gate(Batches(database), Expansions(database), Registry(database), scene.engine.leasing)


def leased(scene: Scene, **draft: object) -> tuple[str, list[Page]]:
    notification = scene.accept("a", channels=(Channel.EMAIL,), **draft)
    scene.expand()
    return notification, list(scene.engine.leasing.take(channel=Channel.EMAIL))


def test_what_is_open_passes(scene: Scene) -> None:
    _, load = leased(scene)
    assert gate(scene).pass_open(load) == load


def test_what_is_cancelled_or_over_ends_whatever_its_channel(scene: Scene) -> None:
    cancelled, first = leased(scene)
    scene.services.cancellation.cancel(cancelled)
    over, second = leased(scene, ttl=5)
    scene.clock.forward(6)
    assert gate(scene).pass_open([*first, *second]) == []
    scene.services.cancellation.sweep()
    scene.upkeep.expire()
    assert scene.standing(cancelled)["a"][0] == "cancelled"
    assert scene.standing(over)["a"][0] == "expired"
    assert scene.batches(over) == []


def test_a_page_whose_entries_are_not_written_waits(scene: Scene) -> None:
    notification = scene.accept("a", channels=(Channel.EMAIL,))
    early = a_batch(notification, "z", page="z", channel=Channel.EMAIL)
    Batches(scene.database).add(early)
    [page] = scene.engine.leasing.take(channel=Channel.EMAIL)
    assert gate(scene).pass_open([page]) == []
    assert scene.batches(notification)[0]["due_at"] == after(LEASE / 4)


def test_a_batch_without_its_notification_goes_and_one_that_was_taken_over_is_left_alone(scene: Scene) -> None:
    Batches(scene.database).add(a_batch(channel=Channel.EMAIL))
    lost = list(scene.engine.leasing.take(channel=Channel.EMAIL))
    assert gate(scene).pass_open(lost) == []
    assert scene.database["batches"].count_documents({}) == 0
    notification, load = leased(scene)
    scene.clock.forward(LEASE + 1)
    scene.worker().leasing.take(channel=Channel.EMAIL)
    assert gate(scene).pass_open(load) == []
    assert scene.standing(notification) == {"a": ("pending", None)}


@pytest.mark.parametrize("event", ["cancel", "expire"])
def test_an_end_is_written_to_entries_at_once_where_push_is_alone(scene: Scene, event: str) -> None:
    for channels, status in (((Channel.PUSH,), "ended"), (BOTH, "pending")):
        notification = scene.accept("a", channels=channels, ttl=5)
        for load in scene.loads():
            scene.engine.leasing.release(load)
        load = [page for page in scene.engine.leasing.take() if page.batch.key.notification == notification]
        if event == "cancel":
            scene.database["notifications"].update_many({}, {"$set": {"state": "cancelled"}})
        else:
            scene.clock.forward(6)
        assert gate(scene).pass_open(load) == []
        found = scene.standing(notification)["a"][0]
        assert found == ("pending" if status == "pending" else {"cancel": "cancelled", "expire": "expired"}[event])
        assert [batch["_id"]["c"] for batch in scene.batches(notification)] == (
            ["email"] if status == "pending" else []
        )


def test_a_mail_on_its_way_is_not_called_off_by_the_end_of_its_push(scene: Scene) -> None:
    """The push of a cancelled notification ends while its mail is in somebody's hand."""
    notification = scene.accept("a", channels=BOTH)
    for load in scene.loads():
        scene.engine.leasing.release(load)
    mail = scene.engine.leasing.take(channel=Channel.EMAIL)
    push = scene.engine.leasing.take()
    scene.services.cancellation.cancel(notification)
    assert gate(scene).pass_open(push) == []
    assert scene.standing(notification) == {"a": ("pending", None)}
    Joint(scene.database).mailed(
        {notification: ["a"]}, Note(after(1), None, "mail, attempt 1: accepted", 1), push_follows=True
    )
    Batches(scene.database).settle([Settled(mail[0].batch)], scene.engine.leasing.holder.owner)
    scene.services.cancellation.sweep()
    assert scene.standing(notification)["a"][0] == "sent"
