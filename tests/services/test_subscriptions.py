from dataclasses import replace

import pytest

from notify_server.bootstrap import build_engine
from notify_server.domain.notification import Channel, ResendPolicy
from notify_server.domain.user import Mutable
from notify_server.errors import Conflict
from notify_server.services.subscriptions import MOST, MutedNames, Muting
from tests.services.scene import Scene

GROUPS, CATEGORIES = Mutable.GROUPS, Mutable.CATEGORIES
WAITING, SILENT = ("pending", "no_device"), ("suppressed", "muted_category")


@pytest.fixture
def muting(scene: Scene) -> Muting:
    for group in ("choir", "chess"):
        scene.services.membership.change(group, ["a", "b"], [])
    return scene.services.subscriptions


def test_what_is_muted_is_listed_and_forgotten(muting: Muting) -> None:
    for name in ("news", "ads", "news"):
        muting.mute("a", CATEGORIES, name)
    muting.mute("a", GROUPS, "choir")
    assert muting.muted("a") == MutedNames(["choir"], ["ads", "news"])
    muting.unmute("a", CATEGORIES, "news")
    muting.unmute("a", CATEGORIES, "weather")
    assert muting.muted("a") == MutedNames(["choir"], ["ads"])
    assert muting.muted("nobody") == MutedNames((), ())


def test_an_unknown_user_can_mute(scene: Scene, muting: Muting) -> None:
    muting.mute("new", CATEGORIES, "news")
    made = scene.accept("new", category="news")
    scene.work()
    assert scene.standing(made) == {"new": SILENT}


def test_no_more_than_a_thousand_can_be_muted(scene: Scene, muting: Muting) -> None:
    full = [f"g{number}" for number in range(MOST)]
    scene.database["users"].update_one({"_id": "a"}, {"$set": {"muted.groups": full}})
    with pytest.raises(Conflict, match="1000 groups"):
        muting.mute("a", GROUPS, "choir")
    muting.mute("a", GROUPS, "g7")
    muting.mute("a", CATEGORIES, "news")


@pytest.mark.parametrize(
    ("users", "groups", "gets_it"),
    [((), ("choir",), False), ((), ("choir", "chess"), True), (("a",), ("choir",), True)],
    ids=["through it alone", "through another group too", "by name too"],
)
def test_a_muted_group_silences_what_comes_through_it_alone(
    scene: Scene, muting: Muting, users: tuple[str, ...], groups: tuple[str, ...], gets_it: bool
) -> None:
    scene.register("a")
    early = scene.accept(*users, groups=groups, send_at=None)
    scene.expand(scene.worker())
    muting.mute("a", GROUPS, "choir")
    late = scene.accept(*users, groups=groups)
    scene.clock.forward(31)  # that one died, and what it had in hand comes due
    scene.work()
    expected = ("sent", None) if gets_it else ("suppressed", "muted_group")
    assert scene.standing(early)["a"] == scene.standing(late)["a"] == expected
    assert scene.accepted().count("a:phone") == 2 * gets_it
    assert scene.violations(early) == scene.violations(late) == []


def test_what_waits_for_a_device_is_muted_and_not_sent_when_one_is_registered(scene: Scene, muting: Muting) -> None:
    news, sport = scene.accept("a", "b", category="news"), scene.accept("a", category="sport")
    scene.work()
    muting.mute("a", CATEGORIES, "news")
    for user in "ab":
        scene.register(user)
    scene.work()
    assert scene.standing(news) == {"a": SILENT, "b": ("sent", None)}
    assert scene.standing(sport) == {"a": ("sent", None)}
    assert sorted(scene.accepted()) == ["a:phone", "b:phone"]
    assert scene.violations(news) == scene.violations(sport) == []


def test_what_waits_to_be_tried_again_is_muted(scene: Scene, muting: Muting) -> None:
    scene.register("a")
    scene.fcm.behave(unavailable=1)
    made = scene.accept("a", category="news")
    scene.work()
    scene.fcm.behave()
    muting.mute("a", CATEGORIES, "news")
    scene.clock.forward(3600)
    scene.work()
    assert scene.standing(made) == {"a": SILENT}
    assert scene.accepted() == []
    assert scene.state(made) == "done"
    assert scene.violations(made) == []


def test_what_a_worker_has_in_hand_while_it_waits_for_the_pace_is_muted(scene: Scene, muting: Muting) -> None:
    slow = build_engine(replace(scene.config, fcm_rate=4.0), scene.database, scene.transport, scene.clock)
    others = [f"other{number}" for number in range(7)]
    for user in ("a", "b", *others):
        scene.register(user)
    spending, news = scene.accept(*others), scene.accept("a", "b", category="news")
    pages = {page.batch.key.notification: page for page in scene.expand(slow)}
    slow.delivery.deliver([pages[spending]])
    muting.mute("a", CATEGORIES, "news")
    slow.delivery.deliver([pages[news]])
    assert scene.standing(news) == {"a": SILENT, "b": ("sent", None)}
    assert scene.accepted()[len(others) :] == ["b:phone"]
    assert scene.violations(news) == []


def test_what_fcm_accepts_in_the_same_moment_ends_as_sent_and_is_not_sent_again(scene: Scene, muting: Muting) -> None:
    scene.register("a")
    made = scene.accept("a", category="news", resend=ResendPolicy(60, 2))
    pages = scene.expand()
    muting.mute("a", CATEGORIES, "news")  # the worker has read before that it is to be sent
    scene.engine.delivery.deliver(pages)
    assert [line["status"] for line in scene.entry(made, "a")["history"]] == ["pending", "suppressed", "sent"]
    assert scene.services.inbox.unread("a") == 1
    scene.clock.forward(121)
    scene.upkeep.resend()
    scene.work()
    assert (scene.accepted(), scene.standing(made)) == (["a:phone"], {"a": ("sent", None)})
    assert scene.violations(made) == []


def test_what_was_sent_is_not_sent_again(scene: Scene, muting: Muting) -> None:
    for user in "ab":
        scene.register(user)
    made = scene.accept("a", "b", category="news", resend=ResendPolicy(60, 2))
    scene.work()
    muting.mute("a", CATEGORIES, "news")
    for _ in range(2):
        scene.clock.forward(121)
        scene.upkeep.resend()
        scene.work()
    assert scene.accepted().count("a:phone") == 1
    assert scene.accepted().count("b:phone") == 3
    assert scene.standing(made) == {"a": ("sent", None), "b": ("sent", None)}
    assert scene.violations(made) == []


def test_what_was_recalled_to_be_sent_again_is_sent_for_good(scene: Scene, muting: Muting) -> None:
    scene.register("a")
    made = scene.accept("a", category="news", resend=ResendPolicy(60, 1))
    scene.work()
    scene.fcm.behave(unavailable=1)
    scene.clock.forward(61)
    scene.upkeep.resend()
    scene.work()
    assert scene.standing(made) == {"a": ("pending", "unavailable")}
    scene.fcm.behave()
    muting.mute("a", CATEGORIES, "news")
    scene.clock.forward(3600)
    scene.work()
    assert scene.standing(made) == {"a": ("sent", None)}
    assert scene.accepted() == ["a:phone"]
    assert scene.violations(made) == []


def test_the_retry_for_another_device_is_stopped(scene: Scene, muting: Muting) -> None:
    scene.register("a", "phone")
    scene.register("a", "tablet")
    scene.fcm.behave(prefixes={"a:tablet": {"unavailable": 1}})
    made = scene.accept("a", category="news")
    scene.work()
    scene.fcm.behave()
    muting.mute("a", CATEGORIES, "news")
    scene.clock.forward(3600)
    scene.work()
    assert (scene.accepted(), scene.standing(made)) == (["a:phone"], {"a": ("sent", None)})


def test_what_is_scheduled_is_muted_when_it_is_expanded(scene: Scene, muting: Muting) -> None:
    scene.register("a")
    made = scene.accept("a", category="news", send_at=scene.clock.now.replace(hour=13))
    muting.mute("a", CATEGORIES, "news")
    scene.clock.forward(3600)
    scene.upkeep.release()
    scene.work()
    assert (scene.standing(made), scene.accepted()) == ({"a": SILENT}, [])


def test_what_was_muted_stays_so_after_subscribing_again(scene: Scene, muting: Muting) -> None:
    old = scene.accept("a", category="news")
    scene.work()
    muting.mute("a", CATEGORIES, "news")
    muting.unmute("a", CATEGORIES, "news")
    scene.register("a")
    new = scene.accept("a", category="news")
    scene.work()
    assert (scene.standing(old), scene.standing(new)) == ({"a": SILENT}, {"a": ("sent", None)})


def test_what_is_mandatory_is_sent_to_those_who_have_muted_it_and_says_so(scene: Scene, muting: Muting) -> None:
    muting.mute("a", CATEGORIES, "password")
    muting.mute("a", GROUPS, "choir")
    before = [scene.accept("a", "b", category="password", mandatory=True), scene.accept("b", category="password")]
    through = scene.accept(groups=("choir",), mandatory=True)
    scene.work()
    muting.mute("b", CATEGORIES, "password")
    for user in "ab":
        scene.register(user)
    scene.work()
    assert scene.standing(before[0]) == scene.standing(through) == {"a": ("sent", None), "b": ("sent", None)}
    assert scene.standing(before[1]) == {"b": SILENT}
    overridden = "mandatory: muted, sent all the same"
    details = {user: scene.entry(before[0], user)["history"][0]["detail"] for user in "ab"}
    assert details == {"a": overridden, "b": None}
    assert scene.entry(through, "a")["history"][0]["detail"] == overridden
    assert scene.services.inspection.get(through).notification.mandatory is True


def test_a_muted_entry_leaves_the_inbox_and_the_socket(scene: Scene, muting: Muting) -> None:
    scene.accept("a", category="news", channels=(Channel.REALTIME,))
    scene.work()
    assert scene.services.inbox.unread("a") == 1
    muting.mute("a", CATEGORIES, "news")
    assert scene.services.inbox.unread("a") == 0
