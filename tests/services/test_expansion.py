from itertools import count
from typing import Any

import pytest

from notify_server.bootstrap import Engine
from notify_server.domain.notification import Channel
from notify_server.services.expansion import Page
from notify_server.storage.expansions import Claim
from notify_server.storage.notifications import Notifications
from tests.builders import NOON, after
from tests.services.interruption import Interrupted, Killed, die
from tests.services.scene import LEASE, Scene

BOTH = (Channel.PUSH, Channel.REALTIME)
CROWD = [f"u{number:04}" for number in range(510)]  # a page and a bit
COMING = ["a first", "u0100 b", "z last"]
GOING = [*CROWD[:20], "u0499", "u0509"]  # so many that those who stay would fit into one page


def claimed(engine: Engine) -> Claim:
    claim = engine.expansion.claim()
    assert claim is not None
    return claim


def users(pages: list[Page]) -> list[str]:
    return [user for page in pages for user in page.recipients]


def entered(scene: Scene) -> list[dict[str, Any]]:
    return list(scene.database["registry"].find().sort("_id.u", 1))


def test_a_user_addressed_by_name_and_by_two_groups_has_one_entry_that_names_both(scene: Scene) -> None:
    for group in ("chess", "choir"):
        scene.services.membership.replace(group, None, ["u1", f"{group} only"])
    notification = scene.accept("u1", "u2", groups=("choir", "chess", "empty"))
    assert sorted(users(scene.expand())) == ["chess only", "choir only", "u1", "u2"]
    found = {entry["_id"]["u"]: entry["groups"] for entry in entered(scene)}
    assert found == {"chess only": ["chess"], "choir only": ["choir"], "u1": ["chess", "choir"], "u2": []}
    assert scene.services.inspection.get(notification).recipients == 4


def test_unknown_users_are_made_with_the_community_and_known_ones_stay_as_they_are(scene: Scene) -> None:
    scene.services.people.put("known", {"community": "club"})
    scene.accept("known", "unknown", community="school")
    scene.expand()
    people = scene.services.people
    assert [people.get(user).community for user in ("known", "unknown")] == ["club", "school"]
    assert people.get("unknown").created_at == NOON


def test_a_large_audience_is_expanded_in_pages_of_500_leased_to_the_expander(scene: Scene) -> None:
    notification = scene.accept(*CROWD)
    pages = scene.expand()
    assert [(page.batch.key.page, len(page.recipients)) for page in pages] == [("", 500), ("u0499", 10)]
    assert users(pages) == CROWD
    assert all(page.batch.due_at == after(LEASE) and page.batch.owner for page in pages)
    assert scene.services.inspection.get(notification).recipients == 510


def test_an_audience_that_ends_with_a_page_has_no_empty_batch(scene: Scene) -> None:
    notification = scene.accept(*CROWD[:500])
    assert len(scene.expand()) == 1
    assert len(scene.batches(notification)) == 1


def test_everyone_is_everyone_known_and_those_named(scene: Scene) -> None:
    for user in ("a", "b"):
        scene.services.people.put(user, {})
    scene.accept("c", everyone=True)
    assert users(scene.expand()) == ["a", "b", "c"]


def test_an_empty_audience_is_done_at_once(scene: Scene) -> None:
    notification = scene.accept(groups=("nobody's",))
    assert scene.expand() == []
    assert (scene.state(notification), scene.services.inspection.get(notification).recipients) == ("done", 0)


def test_who_has_muted_the_group_or_the_category_has_an_entry_and_is_not_sent_to(scene: Scene) -> None:
    scene.services.membership.replace("choir", None, ["a", "b", "c"])
    muted = {"a": {"groups": ["choir"], "categories": []}, "b": {"groups": [], "categories": ["booking"]}}
    for user, muting in muted.items():
        scene.database["users"].update_one({"_id": user}, {"$set": {"muted": muting}})
    notification = scene.accept(groups=("choir",), category="booking")
    assert users(scene.expand()) == ["c"]
    assert scene.standing(notification) == {
        "a": ("suppressed", "muted_group"),
        "b": ("suppressed", "muted_category"),
        "c": ("pending", None),
    }


def test_each_channel_has_a_batch_for_each_page_and_only_push_is_leased(scene: Scene) -> None:
    notification = scene.accept("a", "b", channels=BOTH)
    scene.expand()
    found = {
        batch["_id"]["c"]: (batch["stage"], batch["users"], batch["owner"] is None, batch["due_at"])
        for batch in scene.batches(notification)
    }
    assert found == {
        "push": ("dispatch", ["a", "b"], False, after(LEASE)),
        "realtime": ("announce", ["a", "b"], True, NOON),
    }


def test_a_notification_without_push_is_done_when_it_is_expanded(scene: Scene) -> None:
    notification = scene.accept("a", channels=(Channel.REALTIME,))
    assert scene.expand() == []
    assert scene.state(notification) == "done"


@pytest.mark.parametrize("joins_and_leaves", [False, True], ids=["same members", "members come and go"])
def test_an_expander_may_die_before_any_operation_and_nobody_is_lost(scene: Scene, joins_and_leaves: bool) -> None:
    scene.services.membership.replace("crowd", None, CROWD)
    for moment in count():
        notification = scene.accept("named", "u0250", groups=("crowd",), channels=BOTH)
        database = Interrupted(scene.database, moment, die)
        dying = scene.worker(database)
        try:
            for page in dying.expansion.pages(claimed(dying)):
                dying.delivery.deliver(page.batch, page.recipients)
        except Killed:
            pass
        if joins_and_leaves:
            scene.services.membership.change("crowd", COMING, GOING)
        scene.clock.forward(LEASE)
        scene.work(scene.worker())
        _check(scene, notification)
        if not database.happened:
            break
        scene.services.membership.change("crowd", GOING, COMING)
        for name in ("notifications", "registry", "batches"):
            scene.database[name].delete_many({})
    assert moment > 15


def _check(scene: Scene, notification: str) -> None:
    """Everyone who was a member all the time has one entry and was dispatched; others have, or have not."""
    standing = scene.standing(notification)
    stable = {"named", *CROWD}.difference(GOING)
    assert stable <= set(standing)
    assert set(standing) <= {"named", *CROWD, *COMING}
    assert set(standing.values()) == {("pending", "no_device")}
    assert scene.services.inspection.get(notification).recipients == len(standing)
    scene.upkeep.reap()
    assert scene.state(notification) == "done"
    announced = [user for batch in scene.batches(notification) for user in batch["users"]]
    assert sorted(announced) == sorted(standing)


def test_who_joins_behind_the_cursor_after_a_crash_is_a_recipient(scene: Scene) -> None:
    scene.services.membership.replace("crowd", None, CROWD)
    notification = scene.accept(groups=("crowd",))
    next(scene.engine.expansion.pages(claimed(scene.engine)))
    scene.services.membership.change("crowd", ["z last"], [])
    scene.clock.forward(LEASE)
    scene.work(scene.worker())
    assert "z last" in scene.standing(notification)


def test_a_page_that_was_fixed_stays_as_it_is_though_all_its_members_leave(scene: Scene) -> None:
    scene.services.membership.replace("choir", None, ["a", "b"])
    notification = scene.accept(groups=("choir",))
    dying = scene.worker(Interrupted(scene.database, 3, die))
    with pytest.raises(Killed):
        list(dying.expansion.pages(claimed(dying)))
    assert [batch["users"] for batch in scene.batches(notification)] == [["a", "b"]]
    scene.services.membership.replace("choir", None, [])
    scene.clock.forward(LEASE)
    scene.work(scene.worker())
    assert scene.standing(notification) == dict.fromkeys("ab", ("pending", "no_device"))


def test_who_has_lost_the_lease_stops_and_writes_nothing_twice(scene: Scene) -> None:
    notification = scene.accept(*CROWD)
    slow = scene.engine.expansion.pages(claimed(scene.engine))
    first = next(slow)
    scene.clock.forward(LEASE)
    other = scene.worker()
    assert users(scene.expand(other)) == CROWD[500:]
    assert list(slow) == []
    assert scene.services.inspection.get(notification).recipients == 510
    assert users([first]) == CROWD[:500]


def test_a_batch_that_a_dead_expander_left_is_anyones_once_the_page_is_written(scene: Scene) -> None:
    scene.accept("a", "b")
    dying = scene.worker(Interrupted(scene.database, 4, die))
    with pytest.raises(Killed):
        list(dying.expansion.pages(claimed(dying)))
    assert scene.database["batches"].count_documents({}) == 1
    scene.clock.forward(LEASE)
    other = scene.worker()
    assert scene.expand(other) == []
    batch = other.delivery.lease()
    assert batch is not None
    assert batch.users == ("a", "b")


def test_an_audience_whose_expansion_failed_is_not_kept_by_renewing(scene: Scene) -> None:
    scene.accept("a", "b")
    failing = scene.worker(Interrupted(scene.database, 4, die))
    with pytest.raises(Killed):
        list(failing.expansion.pages(claimed(failing)))
    failing.delivery.renew()
    scene.clock.forward(LEASE)
    failing.delivery.renew()
    assert scene.engine.expansion.claim() is not None


def test_a_claimed_audience_is_kept_by_renewing(scene: Scene) -> None:
    scene.accept(*CROWD)
    pages = scene.engine.expansion.pages(claimed(scene.engine))
    for _ in range(5):
        scene.clock.forward(LEASE / 3)
        scene.engine.delivery.renew()
    assert scene.worker().expansion.claim() is None
    assert users(list(pages)) == CROWD


def test_a_cancelled_notification_is_expanded_so_that_each_recipient_has_an_entry_that_says_so(scene: Scene) -> None:
    notification = scene.accept("a", "b")
    Notifications(scene.database).cancel(notification)
    scene.work()
    assert scene.standing(notification) == dict.fromkeys("ab", ("cancelled", "cancelled_by_backend"))
    assert scene.accepted() == []
