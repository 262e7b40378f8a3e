from notify_server.services.completion import Completion
from notify_server.storage.backlog import Backlog
from notify_server.storage.expansions import Expansions
from tests.services.scene import Scene


def test_a_notification_is_done_when_it_is_expanded_and_no_batch_waits_to_be_sent(scene: Scene) -> None:
    scene.register("a")
    notification = scene.accept("a")
    completion = Completion(Expansions(scene.database), Backlog(scene.database))
    completion.check([notification])
    assert scene.state(notification) == "accepted"
    [page] = scene.expand()
    assert scene.state(notification) == "dispatching"
    scene.engine.delivery.deliver([page])
    assert scene.state(notification) == "done"


def test_a_batch_that_is_to_be_retried_keeps_the_notification_open(scene: Scene) -> None:
    scene.fcm.behave(unavailable=1)
    scene.register("a")
    notification = scene.accept("a")
    scene.work()
    assert scene.state(notification) == "dispatching"


def test_a_batch_that_waits_for_receipts_does_not(scene: Scene) -> None:
    scene.register("a")
    notification = scene.accept("a")
    scene.work()
    assert [batch["stage"] for batch in scene.batches(notification)] == ["confirm"]
    assert scene.state(notification) == "done"
