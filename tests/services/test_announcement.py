from collections import Counter
from collections.abc import Sequence

import pytest

from notify_server.bootstrap import Gateway, build_gateway
from notify_server.domain.action import Action
from notify_server.domain.notification import Channel
from notify_server.domain.registry import Status
from notify_server.domain.template import Content, Source
from notify_server.errors import TurnedBack
from notify_server.services.announcement import AT_ONCE, Announced, Announcements, Reached, Sources
from notify_server.services.reception import Report
from notify_server.services.waiting import still_waiting
from notify_server.services.wording import Wording
from notify_server.storage.backlog import Backlog
from notify_server.storage.devices import Devices
from notify_server.storage.notifications import Notifications
from notify_server.storage.registry import Registry
from notify_server.storage.sequenced import Sequenced
from notify_server.storage.sequences import Sequences
from notify_server.storage.users import Users
from tests.builders import NOON
from tests.services.scene import Scene

LIVE = (Channel.REALTIME,)
BOTH = (Channel.PUSH, Channel.REALTIME)


@pytest.fixture
def gateway(scene: Scene) -> Gateway:
    return build_gateway(scene.config, scene.database, scene.clock)


@pytest.fixture
def announcements(gateway: Gateway) -> Announcements:
    return gateway.announcements


def read(announcements: Announcements, *here: str) -> list[Announced]:
    """What those who are here are told, of everything."""
    batches = announcements.following(0)
    return announcements.read([Reached(batch, [user for user in batch.users if user in here]) for batch in batches])


def users(announced: Sequence[Announced]) -> list[tuple[str, list[str]]]:
    return [(each.notification.id, [user for _, some in each.told for user in some]) for each in announced]


def test_pages_follow_one_another_in_the_order_of_their_numbers(scene: Scene, announcements: Announcements) -> None:
    assert announcements.last() == 0
    accepted = [scene.accept("a", channels=LIVE)]
    scene.expand()
    accepted.append(scene.accept("b", channels=BOTH))
    scene.accept("c")
    scene.expand()
    found = announcements.following(0)
    assert [(batch.sequence, batch.key.notification) for batch in found] == list(enumerate(accepted, 1))
    assert announcements.last() == 2
    assert [batch.sequence for batch in announcements.following(1)] == [2]
    assert announcements.following(2) == []


def test_so_many_come_at_once(scene: Scene, announcements: Announcements) -> None:
    for _ in range(AT_ONCE + 1):
        scene.accept("a", channels=LIVE)
    scene.expand()
    assert [batch.sequence for batch in announcements.following(0)] == list(range(1, AT_ONCE + 1))


def comparing(scene: Scene, every: float) -> Announcements:
    """Announcements that look at the counter so often, after one was told."""
    scene.accept("a", channels=LIVE)
    scene.expand()
    database = scene.database
    wording = Wording(Notifications(database), Users(database), Devices(database))
    sources = Sources(Sequences(database), Backlog(database), wording, Sequenced(database))
    return Announcements(sources, scene.clock, every)


def test_a_database_that_was_restored_is_found_out(scene: Scene) -> None:
    announcements, patient = comparing(scene, 0.0), comparing(scene, 3600.0)
    assert announcements.following(2) == []
    for collection in ("sequences", "batches"):
        scene.database[collection].delete_many({})
    assert announcements.following(2) == []  # as it may be for a moment after a failover
    with pytest.raises(TurnedBack, match="Announcement 2 was told, and the database knows 0"):
        announcements.following(2)
    assert [patient.following(2) for _ in range(3)] == [[]] * 3


def test_a_counter_that_was_behind_for_a_moment_is_no_restore(scene: Scene) -> None:
    announcements = comparing(scene, 0.0)
    for last in (0, 1, 0, 1):
        scene.database["sequences"].update_one({}, {"$set": {"last": last}})
        assert announcements.following(1) == []


def test_what_was_cancelled_or_has_expired_is_told_to_nobody(scene: Scene, announcements: Announcements) -> None:
    cancelled, expired = scene.accept("a", channels=BOTH), scene.accept("a", channels=LIVE, ttl=1)
    told = scene.accept("a", channels=LIVE)
    scene.expand()
    Notifications(scene.database).cancel(cancelled)
    scene.clock.forward(1)
    assert users(read(announcements, "a")) == [(told, ["a"])]
    assert expired


def test_the_item_is_that_of_the_inbox_and_for_those_who_have_not_muted_it(
    scene: Scene, announcements: Announcements
) -> None:
    scene.services.membership.replace("choir", None, ["a", "b", "c"])
    scene.services.membership.replace("band", None, ["c"])
    scene.database["users"].update_one({"_id": "b"}, {"$set": {"muted.groups": ["choir"]}})
    notification = scene.accept("d", groups=("choir", "band"), channels=LIVE, category="booking")
    scene.expand()
    [announced] = read(announcements, "a", "b", "c", "d", "stranger")
    item = {
        "id": notification,
        "title": "Booking confirmed",
        "body": "Monday 9:00",
        "image": None,
        "link": None,
        "data": {},
        "category": "booking",
        "groups": ["choir"],
        "status": "pending",
        "is_read": False,
        "created_at": "2026-11-20T12:00:00.000Z",
        "read_at": None,
    }
    told = {tuple(who): content.content for content, who in announced.told}
    assert told == {("a",): item, ("c",): item | {"groups": ["band", "choir"]}, ("d",): item | {"groups": []}}
    assert announced.told[0][0].origin == {"id": notification, "created_at": item["created_at"], "replayed": False}


def test_a_payload_is_told_to_all_as_one(scene: Scene, announcements: Announcements) -> None:
    scene.services.membership.replace("choir", None, ["a"])
    notification = scene.accept("b", groups=("choir",), channels=LIVE, payload='{"n":[1]}')
    scene.expand()
    [announced] = read(announcements, "a", "b")
    [(content, who)] = announced.told
    assert (content.content, content.origin["id"], sorted(who)) == ({"n": [1]}, notification, ["a", "b"])


def test_what_went_out_to_an_open_socket_is_sent(scene: Scene, announcements: Announcements) -> None:
    notification = scene.accept("a", "b", channels=LIVE)
    scene.expand()
    [announced] = read(announcements, "a")
    announcements.emitted([(announced.notification, ["a"])])
    announcements.emitted([])
    assert scene.standing(notification) == {"a": ("sent", None), "b": ("pending", None)}
    entry = scene.entry(notification, "a")
    assert (entry["attempts"], entry["history"][-1]["detail"]) == (1, "emitted to an open socket")
    assert scene.violations(notification) == []


def details(scene: Scene, notification: str, user: str) -> list[str]:
    return [line["detail"] for line in scene.entry(notification, user)["history"][1:]]


class TestBoth:
    """Push and realtime together."""

    @pytest.fixture
    def notification(self, scene: Scene) -> str:
        for user in ("a", "b", "c"):
            scene.register(user)
        return scene.accept("a", "b", "c", "bare", channels=BOTH)

    def emit(self, announcements: Announcements, *who: str) -> None:
        [announced] = read(announcements, *who)
        announcements.emitted([(announced.notification, who)])

    def test_who_was_told_before_the_push_was_read_is_pushed_all_the_same(
        self, scene: Scene, announcements: Announcements, notification: str
    ) -> None:
        for load in list(scene.loads()):
            scene.engine.leasing.release(load)  # any worker takes it from the queue now
        self.emit(announcements, "a", "bare")
        scene.services.reception.report("b", [Report(notification, Status.RECEIVED)])
        scene.work()
        assert sorted(scene.accepted()) == ["a:phone", "c:phone"]
        assert scene.standing(notification) == {
            "a": ("sent", None),
            "b": ("received", None),
            "c": ("sent", None),
            "bare": ("sent", "no_device"),
        }
        assert details(scene, notification, "bare") == [
            "emitted to an open socket",
            "no active device; waits for one until it expires",
        ]
        assert details(scene, notification, "a") == [
            "emitted to an open socket",
            "attempt 1: accepted for 1 of 1 devices",
        ]
        assert scene.entry(notification, "a")["attempts"] == 2
        assert scene.violations(notification) == []

    def test_what_both_have_sent_is_not_pushed_again_by_who_takes_over(
        self, scene: Scene, announcements: Announcements, notification: str
    ) -> None:
        [load] = list(scene.loads())
        self.emit(announcements, "a")
        scene.engine.delivery.deliver(load)
        scene.database["batches"].update_many({"_id.c": "push"}, {"$set": {"stage": "dispatch", "due_at": NOON}})
        scene.work(scene.worker())
        assert sorted(scene.accepted()) == ["a:phone", "b:phone", "c:phone"]

    def test_a_resend_is_pushed_though_a_socket_was_told_of_it_meanwhile(
        self, scene: Scene, announcements: Announcements, notification: str
    ) -> None:
        scene.work()
        scene.clock.forward(900)
        assert scene.upkeep.resend() == 1
        (load,) = [scene.engine.leasing.take()]
        still_waiting(Registry(scene.database), [page.batch for page in load], scene.clock())
        self.emit(announcements, "a", "b", "c")
        scene.engine.delivery.deliver(load)
        assert Counter(scene.accepted()) == {"a:phone": 2, "b:phone": 2, "c:phone": 2}

    def test_push_that_waits_goes_to_those_who_have_no_receipt_then(
        self, scene: Scene, announcements: Announcements
    ) -> None:
        for user in ("a", "b", "c"):
            scene.register(user)
        notification = scene.accept("a", "b", "c", channels=BOTH, push_after=60)
        scene.work()
        self.emit(announcements, "a", "b")
        scene.services.reception.report("b", [Report(notification, Status.READ)])
        scene.clock.forward(59)
        scene.work()
        assert scene.accepted() == []
        assert scene.state(notification) == "dispatching"
        scene.clock.forward(1)
        scene.work()
        assert sorted(scene.accepted()) == ["a:phone", "c:phone"]
        assert scene.standing(notification) == {"a": ("sent", None), "b": ("read", None), "c": ("sent", None)}
        assert [line["status"] for line in scene.entry(notification, "b")["history"]] == ["pending", "sent", "read"]
        assert scene.state(notification) == "done"
        assert scene.violations(notification) == []


class TestLateDevice:
    """Push and realtime together, and a device that is registered later."""

    @pytest.fixture(params=[0, 60])
    def wait(self, request: pytest.FixtureRequest) -> int:
        """Seconds by which push waits."""
        return int(request.param)

    def told(self, scene: Scene, announcements: Announcements, wait: int, *, first: bool) -> str:
        """A notification that a socket of `ada` was told of, `first` or when push had found no device."""
        notification = scene.accept("ada", channels=BOTH, push_after=wait or None, ttl=3600)
        batches = list(scene.loads())
        if first:
            self.emit(announcements)
        for load in batches:
            scene.engine.delivery.deliver(load)
        scene.clock.forward(wait)
        scene.work()
        if not first:
            self.emit(announcements)
        assert scene.standing(notification) == {"ada": ("sent", "no_device")}
        assert scene.violations(notification) == []
        return notification

    def emit(self, announcements: Announcements) -> None:
        for announced in read(announcements, "ada"):
            announcements.emitted([(announced.notification, ["ada"])])

    @pytest.mark.parametrize("first", [True, False])
    def test_it_is_sent_what_a_socket_was_told_of(
        self, scene: Scene, announcements: Announcements, wait: int, *, first: bool
    ) -> None:
        notification = self.told(scene, announcements, wait, first=first)
        scene.register("ada")
        scene.work()
        assert scene.accepted() == ["ada:phone"]
        assert scene.standing(notification) == {"ada": ("sent", None)}
        assert details(scene, notification, "ada")[-1] == "attempt 1: accepted for 1 of 1 devices"
        assert scene.violations(notification) == []
        scene.register("ada", "tablet")
        scene.work()
        assert scene.accepted() == ["ada:phone"]

    def test_it_is_sent_nothing_where_a_receipt_came_first(
        self, scene: Scene, announcements: Announcements, wait: int
    ) -> None:
        notification = self.told(scene, announcements, wait, first=True)
        scene.services.reception.report("ada", [Report(notification, Status.RECEIVED)])
        scene.register("ada")
        scene.work()
        assert scene.accepted() == []
        assert scene.standing(notification) == {"ada": ("received", None)}
        assert scene.violations(notification) == []

    def test_a_receipt_between_its_registration_and_the_push_comes_in_time(
        self, scene: Scene, announcements: Announcements, wait: int
    ) -> None:
        notification = self.told(scene, announcements, wait, first=True)
        scene.register("ada")
        scene.services.reception.report("ada", [Report(notification, Status.RECEIVED)])
        scene.work()
        assert scene.accepted() == []
        assert scene.violations(notification) == []

    def test_it_is_sent_nothing_that_was_cancelled_or_has_expired(
        self, scene: Scene, announcements: Announcements, wait: int
    ) -> None:
        notification = self.told(scene, announcements, wait, first=True)
        assert scene.state(notification) == "done"
        assert scene.services.cancellation.cancel(notification).stopped == 0
        expired = scene.accept("ada", channels=BOTH, ttl=1)
        for load in list(scene.loads()):
            scene.engine.leasing.release(load)
        batches = announcements.following(1)
        [announced] = announcements.read([Reached(batch, ["ada"]) for batch in batches])
        announcements.emitted([(announced.notification, ["ada"])])
        scene.clock.forward(1)
        scene.register("ada")
        scene.work()
        assert scene.accepted() == []
        assert scene.standing(expired) == scene.standing(notification) == {"ada": ("sent", None)}
        assert details(scene, expired, "ada") == ["emitted to an open socket", "ttl_over"]

    def test_a_requested_resend_leaves_it_to_the_device(
        self, scene: Scene, announcements: Announcements, wait: int
    ) -> None:
        notification = self.told(scene, announcements, wait, first=True)
        assert scene.services.resending.request(notification, None) == 0
        assert scene.services.resending.request(notification, ["ada"]) == 0


@pytest.mark.parametrize("fault", ["unavailable", "unregistered"])
def test_a_push_that_failed_after_a_socket_was_told_is_in_the_history(
    scene: Scene, announcements: Announcements, fault: str
) -> None:
    scene.register("ada")
    notification = scene.accept("ada", channels=BOTH)
    [load] = list(scene.loads())
    scene.engine.leasing.release(load)
    [announced] = read(announcements, "ada")
    announcements.emitted([(announced.notification, ["ada"])])
    scene.fcm.behave(prefixes={"ada:": {fault: 1.0}})
    scene.work()
    retried = fault == "unavailable"
    assert scene.standing(notification) == {"ada": ("sent", fault if retried else None)}
    assert details(scene, notification, "ada") == ["emitted to an open socket", f"attempt 1: {fault}"]
    assert scene.violations(notification) == []
    scene.fcm.behave(prefixes={})
    scene.clock.forward(3600)
    scene.work()
    assert scene.accepted() == (["ada:phone"] if retried else [])
    assert scene.standing(notification) == {"ada": ("sent", None)}
    assert scene.violations(notification) == []


def test_everybody_is_told_in_their_language_and_those_of_one_together(
    scene: Scene, announcements: Announcements
) -> None:
    for user, locale in (("a", "de-AT"), ("b", "de"), ("c", "fr"), ("d", None)):
        scene.services.people.put(user, {"locale": locale})
    scene.services.templates.put("t", Content("en", {"en": Source("Hello"), "de": Source("Hallo")}))
    scene.accept("a", "b", "c", "d", message=None, template="t", channels=LIVE)
    scene.expand()
    [announced] = read(announcements, "a", "b", "c", "d")
    assert {tuple(who): told.content["title"] for told, who in announced.told} == {
        ("a", "b"): "Hallo",
        ("c", "d"): "Hello",
    }


def test_what_is_disabled_is_told_to_nobody(scene: Scene, announcements: Announcements) -> None:
    scene.services.templates.put("t", Content("en", {"en": Source("Hello")}))
    scene.services.actions.put(Action("act", "t", LIVE, NOON, notification_enabled=False))
    notification = scene.accept("a", message=None, action="act", channels=None)
    scene.expand()
    assert [each.told for each in read(announcements, "a")] in ([], [[]])
    assert scene.standing(notification) == {"a": ("suppressed", "action_disabled")}
    assert scene.state(notification) == "done"
