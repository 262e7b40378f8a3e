import pytest

from notify_server.services.load import Page
from notify_server.services.localising import Localising
from notify_server.services.messages import Messages
from notify_server.services.outlet import Send
from notify_server.services.preparation import Content, Preparation, Reached
from notify_server.services.settlement import Settlement, Stores
from notify_server.storage.batches import Batches
from notify_server.storage.devices import Devices
from notify_server.storage.documents import object_id
from notify_server.storage.joint import Joint
from notify_server.storage.notifications import Notifications
from notify_server.storage.registry import Registry
from notify_server.storage.users import Users
from tests.builders import a_batch, seeded
from tests.services.scene import Scene


@pytest.fixture
def preparation(scene: Scene) -> Preparation:
    database, registry, devices = scene.database, Registry(scene.database), Devices(scene.database)
    stores = Stores(registry, Joint(database), devices, Batches(database))
    content = Content(Messages(Notifications(database), scene.transport), Localising(registry, Users(database)))
    settlement = Settlement(stores, seeded(), scene.clock)
    return Preparation(Reached(registry, devices), content, settlement, scene.engine.leasing.holder)


def whom(sends: list[Send]) -> list[tuple[tuple[str, ...], list[str]]]:
    """The recipients and the targets of each send."""
    return [(tuple(send.users), [target.value for _, _, target in send.devices]) for send in sends]


def test_nothing_is_prepared_of_nothing(preparation: Preparation) -> None:
    assert preparation.sends([]) == []


def test_recipients_come_with_their_devices_and_without(scene: Scene, preparation: Preparation) -> None:
    scene.register("a")
    scene.register("a", "tablet")
    scene.accept("a", "b")
    pages = scene.expand()
    assert whom(preparation.sends(pages)) == [(("a", "b"), ["a:phone", "a:tablet"])]


def test_of_a_batch_from_the_queue_those_are_left_who_still_wait(scene: Scene, preparation: Preparation) -> None:
    for user in "ab":
        scene.register(user)
    scene.fcm.behave(prefixes={"b": {"unavailable": 1}})
    notification = scene.accept("a", "b", "none")
    [page] = scene.expand()
    batch = page.batch
    scene.engine.delivery.deliver([page])
    assert scene.standing(notification)["none"] == ("pending", "no_device")
    assert whom(preparation.sends([Page(batch)])) == [(("b", "none"), ["b:phone"])]


def test_a_retry_is_narrowed_to_some_devices_of_those_whom_it_names(scene: Scene, preparation: Preparation) -> None:
    for user in "ab":
        scene.register(user)
        scene.register(user, "tablet")
    notification = scene.accept("a", "b")
    scene.expand()
    batch = a_batch(notification, "a", "b", devices={"a": ("tablet",)})
    assert whom(preparation.sends([Page(batch)])) == [(("a", "b"), ["a:tablet", "b:phone", "b:tablet"])]


def test_a_message_that_the_encoder_refuses_is_settled_as_failed(scene: Scene, preparation: Preparation) -> None:
    scene.register("a")
    refused, fine = scene.accept("a"), scene.accept("a")
    pages = scene.expand()
    content = {"message.data": {"large": "x" * 5000}}  # past the check of the API, as from an older version
    scene.database["notifications"].update_one({"_id": object_id(refused)}, {"$set": content})
    assert [send.batch.key.notification for send in preparation.sends(pages)] == [fine]
    assert scene.standing(refused) == {"a": ("failed", "payload_rejected")}
    assert scene.batches(refused) == []
