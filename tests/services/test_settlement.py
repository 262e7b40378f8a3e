"""What is written of a dispatch; and that a device registered at any moment of it is served, and served once."""

from contextlib import suppress
from dataclasses import replace
from itertools import count, product

import pytest
from prometheus_client import REGISTRY

from notify_server.bootstrap import build_services
from notify_server.domain.batch import Batch
from notify_server.domain.by_channel import by_channel
from notify_server.domain.device import Platform
from notify_server.domain.dispatch import Dispatch
from notify_server.domain.notification import Channel, Notification
from notify_server.domain.outcome import ACCEPTED, Kind, Outcome
from notify_server.domain.registry import TRANSITIONS, Event, Note, Reason
from notify_server.services.enrolment import Installation
from notify_server.services.settlement import Settlement, Stores
from notify_server.storage.batches import Batches, Settled
from notify_server.storage.devices import Devices
from notify_server.storage.documents import Store, object_id
from notify_server.storage.joint import Joint
from notify_server.storage.recount import Recount
from notify_server.storage.registry import Arrivals, Registry
from tests.builders import StoppedClock, a_batch, a_device, a_notification, a_target, after, recipients, seeded
from tests.services.interruption import Interrupted, Killed, die
from tests.services.scene import LEASE, Scene

DEAD = Outcome(Kind.TARGET_DEAD, Reason.UNREGISTERED)
REJECTED = Outcome(Kind.REJECTED, Reason.PAYLOAD_REJECTED)
BUSY = Outcome(Kind.RETRY, Reason.UNAVAILABLE)
QUOTA = Outcome(Kind.RETRY, Reason.QUOTA_EXCEEDED, 45.0)


class Desk:
    """A settlement and the collections that it writes to, for one notification to `users` with a phone each."""

    def __init__(self, database: Store, clock: StoppedClock, *users: str) -> None:
        self.devices, self.registry, self.batches = Devices(database), Registry(database), Batches(database)
        self.settlement = Settlement(
            Stores(self.registry, Joint(database), self.devices, self.batches), seeded(), clock
        )
        self.notification: Notification = a_notification()
        self.registry.insert([Arrivals(self.notification.id, None, recipients(*users))], clock())
        for user in users:
            self.devices.register(a_device(user))
        self.batch: Batch = a_batch(self.notification.id, *users, owner="one", due_at=after(LEASE))
        self.batches.add(self.batch)
        self._database = database

    def settle(self, outcomes: dict[str, Outcome], owner: str = "one") -> None:
        """Settle a dispatch in which each user's phone got this outcome; who is not named has no device."""
        self.settlement.settle([self.dispatch(outcomes)], owner)

    def dispatch(self, outcomes: dict[str, Outcome]) -> Dispatch:
        """The dispatch of which this came."""
        owned = [(user, "phone", a_target(f"{user}:phone")) for user in outcomes]
        return Dispatch(self.batch, self.notification, self.batch.users, owned, list(outcomes.values()))

    def standing(self) -> dict[str, tuple[str, str | None, int]]:
        """Status, reason and attempts of each entry of its notification."""
        found = self._database["registry"].find({"_id.n": object_id(self.notification.id)})
        return {e["_id"]["u"]: (e["status"], e["reason"], e["attempts"]) for e in found}

    def queue(self) -> dict[tuple[str, ...], tuple[str, float]]:
        """The users of each batch that is left: its stage, and in how many seconds it is due."""
        found = self._database["batches"].find()
        return {tuple(b["users"]): (b["stage"], (b["due_at"] - after(0)).total_seconds()) for b in found}


def test_what_is_final_is_written_ahead_and_the_batch_settled_without_it(database: Store, clock: StoppedClock) -> None:
    desk = Desk(database, clock, "a", "b", "c", "d")
    ahead = desk.dispatch({"a": ACCEPTED, "b": DEAD})
    desk.settlement.anticipate([replace(ahead, users=("a", "b"))])
    assert desk.standing() == {
        "a": ("sent", None, 1),
        "b": ("failed", "unregistered", 1),
        "c": ("pending", None, 0),
        "d": ("pending", None, 0),
    }
    assert [target.value for _, _, target in desk.devices.targets(["a", "b"])] == ["a:phone"]
    assert desk.queue() == {("a", "b", "c", "d"): ("dispatch", LEASE)}
    desk.settlement.settle([replace(desk.dispatch({"c": ACCEPTED, "d": QUOTA}), users=("c", "d"))], "one")
    assert desk.standing() == {
        "a": ("sent", None, 1),
        "b": ("failed", "unregistered", 1),
        "c": ("sent", None, 1),
        "d": ("pending", "quota_exceeded", 0),
    }
    assert desk.queue() == {("a", "b", "c"): ("confirm", 900.0), ("d",): ("dispatch", 45.0)}


def test_every_outcome_is_written_to_its_entry_its_device_and_the_queue(database: Store, clock: StoppedClock) -> None:
    desk = Desk(database, clock, "a", "b", "c", "d")
    desk.settle({"a": ACCEPTED, "b": DEAD, "c": REJECTED, "d": QUOTA})
    assert desk.standing() == {
        "a": ("sent", None, 1),
        "b": ("failed", "unregistered", 1),
        "c": ("failed", "payload_rejected", 1),
        "d": ("pending", "quota_exceeded", 0),
    }
    assert desk.queue() == {("a",): ("confirm", 900), ("d",): ("dispatch", 45)}
    assert {user for user, _, _ in desk.devices.targets("abcd")} == {"a", "c", "d"}
    [gone] = desk.devices.of_user("b")
    assert (gone.active, gone.reason) == (False, "unregistered")


def test_who_has_no_device_waits_with_that_reason_and_in_no_batch(database: Store, clock: StoppedClock) -> None:
    desk = Desk(database, clock, "a", "b")
    desk.devices.delete("b", "phone")
    desk.settle({"a": ACCEPTED})
    assert desk.standing()["b"] == ("pending", "no_device", 0)
    assert desk.queue() == {("a",): ("confirm", 900)}


def test_the_outcome_of_an_entry_that_moved_meanwhile_changes_nothing(database: Store, clock: StoppedClock) -> None:
    desk = Desk(database, clock, "a", "b", "c")
    desk.registry.move_all(Event.CANCEL, desk.notification.id, Note(clock(), Reason.CANCELLED_BY_BACKEND))
    desk.settle({"a": ACCEPTED, "b": DEAD})
    assert desk.standing() == dict.fromkeys("abc", ("cancelled", "cancelled_by_backend", 0))


def test_a_dispatch_whose_lease_was_lost_leaves_the_batch_to_its_new_owner(
    database: Store, clock: StoppedClock
) -> None:
    desk = Desk(database, clock, "a", "b", "c")
    desk.settle({"a": ACCEPTED, "b": BUSY}, owner="two")
    assert desk.queue() == {("a", "b", "c"): ("dispatch", LEASE)}
    assert desk.batches.find(desk.batch.key) == desk.batch


def test_dispatches_settled_together_are_written_each_to_its_own_entries(database: Store, clock: StoppedClock) -> None:
    one, other = Desk(database, clock, "a", "b"), Desk(database, clock, "a", "c")
    dispatches = [one.dispatch({"a": ACCEPTED, "b": BUSY}), other.dispatch({"a": REJECTED, "c": BUSY})]
    one.settlement.settle(dispatches, "one")
    assert {desk.notification.id: desk.standing() for desk in (one, other)} == {
        one.notification.id: {"a": ("sent", None, 1), "b": ("pending", "unavailable", 1)},
        other.notification.id: {"a": ("failed", "payload_rejected", 1), "c": ("pending", "unavailable", 1)},
    }
    stages = {users: stage for users, (stage, _) in one.queue().items()}
    assert stages == {("a",): "confirm", ("b",): "dispatch", ("c",): "dispatch"}


def test_of_dispatches_settled_together_one_may_have_lost_its_lease(database: Store, clock: StoppedClock) -> None:
    lost, kept = Desk(database, clock, "a", "b"), Desk(database, clock, "c", "d")
    lost.batches.settle([Settled(lost.batch, replace(lost.batch, owner="two"))], "one")
    kept.settlement.settle([lost.dispatch({"a": BUSY}), kept.dispatch({"c": ACCEPTED})], "one")
    assert lost.batches.find(lost.batch.key) == replace(lost.batch, owner="two")
    assert kept.queue() == {("a", "b"): ("dispatch", LEASE), ("c",): ("confirm", 900), ("d",): ("dispatch", 0)}


@pytest.mark.parametrize("other", [Channel.REALTIME, Channel.EMAIL])
@pytest.mark.parametrize("event", [Event.RECEIVE, Event.READ])
def test_what_a_receipt_moved_before_it_was_settled_has_one_line_that_push_was_accepted(
    database: Store, clock: StoppedClock, event: Event, other: Channel
) -> None:
    desk = Desk(database, clock, "a", "b")
    desk.notification = replace(desk.notification, channels=(Channel.PUSH, other))
    database["registry"].update_many({}, {"$set": {"over": []}})  # as where more than push is used
    desk.registry.move(event, {desk.notification.id: ["a", "b"]}, Note(clock(), detail="device phone"))
    for _ in range(2):
        desk.settle({"a": ACCEPTED, "b": DEAD})
    details = {e["_id"]["u"]: [line["detail"] for line in e["history"]] for e in database["registry"].find()}
    accepted = "attempt 1: accepted for 1 of 1 devices"
    assert details == {"a": [None, "device phone", accepted], "b": [None, "device phone"]}
    status = TRANSITIONS[event].target.value
    assert desk.standing() == {"a": (status, None, 1), "b": (status, None, 0)}
    [part] = Recount(database).of([desk.notification.id])[desk.notification.id]
    rows = {row["channel"]: (row["sent"], row["failed"]) for row in by_channel(part.tally)}
    assert rows["push"] == (1, 0)


def test_of_push_alone_the_status_says_it_all(database: Store, clock: StoppedClock) -> None:
    desk = Desk(database, clock, "a")
    desk.registry.move(Event.READ, {desk.notification.id: ["a"]}, Note(clock(), detail="device phone"))
    desk.settle({"a": ACCEPTED})
    assert desk.standing() == {"a": ("read", None, 0)}


def test_nothing_is_settled_of_no_dispatches(database: Store, clock: StoppedClock) -> None:
    desk = Desk(database, clock, "a")
    desk.settlement.settle([], "one")
    assert desk.standing() == {"a": ("pending", None, 0)}
    assert desk.queue() == {("a",): ("dispatch", LEASE)}


def test_outcomes_are_counted_by_kind_and_reason(database: Store, clock: StoppedClock) -> None:
    def counted(outcome: str, reason: str) -> float:
        labels = {"channel": "push", "outcome": outcome, "reason": reason}
        return REGISTRY.get_sample_value("notify_sends_total", labels) or 0

    kinds = [("accepted", ""), ("target_dead", "unregistered"), ("retry", "unavailable")]
    before = [counted(*kind) for kind in kinds]
    Desk(database, clock, "a", "b", "c", "d").settle({"a": ACCEPTED, "b": DEAD, "c": ACCEPTED, "d": BUSY})
    assert [counted(*kind) - earlier for kind, earlier in zip(kinds, before, strict=True)] == [2, 1, 1]


@pytest.mark.parametrize("again", [False, True], ids=["first device", "a device after another went"])
def test_a_device_registered_at_any_moment_of_a_dispatch_is_sent_to_once(scene: Scene, again: bool) -> None:
    for moment in count():
        user = f"u{moment}"
        notification = scene.accept(user)
        if again:
            _have_and_lose_a_device(scene, user)
        database = Interrupted(scene.database, moment, lambda user=user: scene.register(user))  # type: ignore[misc]
        scene.work(scene.worker(database))
        scene.work()
        if not database.happened:
            break
        assert scene.standing(notification) == {user: ("sent", None)}
        assert scene.accepted().count(f"{user}:phone") == 1
        assert scene.violations(notification) == []
    assert moment > 10


@pytest.mark.parametrize("again", [False, True], ids=["first device", "a device after another went"])
def test_a_dispatcher_that_dies_after_a_device_was_registered_leaves_nobody_waiting(scene: Scene, again: bool) -> None:
    for moment, death in product(range(5, 40), range(1, 4)):
        user = f"u{moment}-{death}"
        notification = scene.accept(user)
        if again:
            _have_and_lose_a_device(scene, user)
        dying = Interrupted(scene.database, moment + death, die)
        database = Interrupted(dying, moment, lambda user=user: scene.register(user))  # type: ignore[arg-type,misc]
        with suppress(Killed):
            scene.work(scene.worker(database))
        scene.clock.forward(LEASE)
        scene.work()
        if not database.happened:
            break
        assert scene.standing(notification) == {user: ("sent", None)}
        assert scene.violations(notification) == []
        assert [(batch["stage"], batch["users"]) for batch in scene.batches(notification)] == [("confirm", [user])]
    assert moment > 10


def _have_and_lose_a_device(scene: Scene, user: str) -> None:
    """Leave the notification in the batch that a device made due, though the device is gone again."""
    scene.work()
    scene.register(user)
    scene.services.enrolment.delete(user, "phone")
    assert scene.database["batches"].count_documents({"users": user}) == 1


def test_a_dispatch_at_any_moment_of_a_registration_sends_once(scene: Scene) -> None:
    for moment in count():
        user = f"u{moment}"
        notification = scene.accept(user)
        database = Interrupted(scene.database, moment, scene.work)
        registering = build_services(scene.config, database, scene.clock)  # type: ignore[arg-type]
        registering.enrolment.register(user, "phone", Installation(Platform.IOS, a_target(f"{user}:phone")))
        scene.work()
        assert scene.standing(notification) == {user: ("sent", None)}
        assert scene.accepted().count(f"{user}:phone") == 1
        if not database.happened:
            break
    assert moment > 3


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ((Channel.PUSH,), ("failed", "payload_rejected")),
        ((Channel.PUSH, Channel.EMAIL), ("pending", "payload_rejected")),
    ],
)
def test_what_the_encoder_refuses_ends_push_and_leaves_the_mail_to_go(
    database: Store, clock: StoppedClock, channels: tuple[Channel, ...], expected: tuple[str, str]
) -> None:
    desk = Desk(database, clock, "a")
    note = Note(after(1), Reason.PAYLOAD_REJECTED)
    desk.settlement.refuse(desk.batch, replace(desk.notification, channels=channels), note, "one")
    assert desk.standing()["a"][:2] == expected
    assert database["batches"].count_documents({}) == 0
    Joint(database).mailed(
        {desk.notification.id: ["a"]}, Note(after(2), None, "mail, attempt 1: accepted", 1), push_follows=True
    )
    assert desk.standing()["a"][0] == ("failed" if len(channels) == 1 else "sent")
