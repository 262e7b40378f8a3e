from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain, count
from typing import Any

import pytest

from notify_server.bootstrap import Engine
from notify_server.domain.batch import Rank
from notify_server.domain.notification import Channel
from notify_server.services import expansion
from notify_server.services.load import Load, Page
from notify_server.storage.batches import Batches
from notify_server.storage.documents import object_id
from notify_server.storage.expansions import Claim
from notify_server.storage.notifications import Notifications
from tests.builders import NOON, a_batch, after
from tests.counted import COUNTED
from tests.services.interruption import Interrupted, Killed, die
from tests.services.scene import LEASE, Scene, claims

BOTH = (Channel.PUSH, Channel.REALTIME)
CROWD = [f"u{number:04}" for number in range(510)]  # a page and a bit
PAGE, FEW = 20, CROWD[:25]
COMING = ["a first", "u0010 b", "z last"]
GOING = [*FEW[:9], "u0019", "u0024"]  # so many that those who stay would fit into one page


def claimed(engine: Engine) -> Claim:
    [claim] = claims(engine)
    return claim


def paged(engine: Engine) -> Iterator[Page]:
    """The only notification that waits, claimed now and expanded page by page."""
    return chain.from_iterable(engine.expansion.loads(claimed(engine)))


def users(pages: Iterable[Page]) -> list[str]:
    return [user for page in pages for user in page.recipients or ()]


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
    assert [(page.batch.key.page, len(page.recipients or ())) for page in pages] == [("", 500), ("u0499", 10)]
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
def test_an_expander_may_die_before_any_operation_and_nobody_is_lost(
    scene: Scene, joins_and_leaves: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With smaller pages than usual: what happens between them is the same."""
    monkeypatch.setattr(expansion, "SIZE", PAGE)
    scene.services.membership.replace("crowd", None, FEW)
    for moment in count():
        notification = scene.accept("named", "u0015", groups=("crowd",), channels=BOTH)
        database = Interrupted(scene.database, moment, die)
        dying = scene.worker(database)
        try:
            for load in dying.expansion.loads(claimed(dying)):
                dying.delivery.deliver(load)
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
        for name in ("notifications", "registry", "batches", *COUNTED):
            scene.database[name].delete_many({})
    assert moment > 15


def _check(scene: Scene, notification: str) -> None:
    """Everyone who was a member all the time has one entry and was dispatched; others have, or have not."""
    standing = scene.standing(notification)
    stable = {"named", *FEW}.difference(GOING)
    assert stable <= set(standing)
    assert set(standing) <= {"named", *FEW, *COMING}
    assert set(standing.values()) == {("pending", "no_device")}
    assert scene.services.inspection.get(notification).recipients == len(standing)
    scene.upkeep.reap()
    assert scene.state(notification) == "done"
    announced = [user for batch in scene.batches(notification) for user in batch["users"]]
    assert sorted(announced) == sorted(standing)


def test_who_joins_behind_the_cursor_after_a_crash_is_a_recipient(scene: Scene) -> None:
    scene.services.membership.replace("crowd", None, CROWD)
    notification = scene.accept(groups=("crowd",))
    next(paged(scene.engine))
    scene.services.membership.change("crowd", ["z last"], [])
    scene.clock.forward(LEASE)
    scene.work(scene.worker())
    assert "z last" in scene.standing(notification)


def test_a_page_that_was_fixed_stays_as_it_is_though_all_its_members_leave(scene: Scene) -> None:
    scene.services.membership.replace("choir", None, ["a", "b"])
    notification = scene.accept(groups=("choir",))
    dying = scene.worker(Interrupted(scene.database, 5, die))
    with pytest.raises(Killed):
        list(paged(dying))
    assert [batch["users"] for batch in scene.batches(notification)] == [["a", "b"]]
    scene.services.membership.replace("choir", None, [])
    scene.clock.forward(LEASE)
    scene.work(scene.worker())
    assert scene.standing(notification) == dict.fromkeys("ab", ("pending", "no_device"))


def test_who_has_lost_the_lease_stops_and_writes_nothing_twice(scene: Scene) -> None:
    notification = scene.accept(*CROWD)
    slow = paged(scene.engine)
    first = next(slow)
    scene.clock.forward(LEASE)
    other = scene.worker()
    assert users(scene.expand(other)) == CROWD[500:]
    assert list(slow) == []
    assert scene.services.inspection.get(notification).recipients == 510
    assert users([first]) == CROWD[:500]


def test_a_batch_that_a_dead_expander_left_is_anyones_once_the_page_is_written(scene: Scene) -> None:
    scene.accept("a", "b")
    dying = scene.worker(Interrupted(scene.database, 6, die))
    with pytest.raises(Killed):
        list(paged(dying))
    assert scene.database["batches"].count_documents({}) == 1
    scene.clock.forward(LEASE)
    other = scene.worker()
    assert scene.expand(other) == []
    [page] = other.leasing.take()
    assert page.batch.users == ("a", "b")


@pytest.mark.parametrize("channel", [Channel.PUSH, Channel.EMAIL])
def test_a_batch_of_a_dead_expander_that_a_dispatcher_of_ours_took_first_stays_in_its_hands_alone(
    scene: Scene, channel: Channel
) -> None:
    """Audience and batch come due at the same moment, to two threads of one worker, who lease under one name."""
    scene.accept("a", "b", channels=(channel,))
    dying = scene.worker(Interrupted(scene.database, 6, die))
    with pytest.raises(Killed):
        list(paged(dying))
    scene.clock.forward(LEASE)
    other = scene.worker()
    [taken] = other.leasing.take(channel=channel)
    assert scene.expand(other) == []
    assert scene.worker().leasing.take(channel=channel) == []
    assert other.leasing.holds(taken.batch)


def test_a_batch_of_mails_that_a_mailer_of_ours_took_from_the_queue_stays_in_its_hands(scene: Scene) -> None:
    """The same, where the worker stood still between writing the page and letting go of it."""
    scene.accept("a", channels=(Channel.EMAIL,))
    batches, _ = scene.engine.expansion._fix(claimed(scene.engine).notification, "", [])
    scene.clock.forward(LEASE)
    [taken] = scene.engine.leasing.take(channel=Channel.EMAIL)
    scene.engine.expansion._post(batches)
    assert scene.worker().leasing.take(channel=Channel.EMAIL) == []
    assert scene.engine.leasing.holds(taken.batch)


def test_a_page_that_a_dispatcher_of_ours_took_from_the_queue_is_not_handed_on_as_well(scene: Scene) -> None:
    """The worker stood still when the page was written, for longer than its lease."""
    scene.accept(*CROWD)
    pages = paged(scene.engine)
    first = next(pages)
    scene.engine.leasing.holder.batches.drop([first.batch.key])
    scene.clock.forward(LEASE)
    [taken] = scene.engine.leasing.take()
    assert taken.batch.key == first.batch.key
    assert list(scene.engine.expansion._released([first.batch], None)) == []


def test_an_audience_that_is_being_expanded_is_not_begun_again_by_its_own_worker(scene: Scene) -> None:
    scene.accept(*CROWD)
    pages = paged(scene.engine)
    next(pages)
    scene.clock.forward(LEASE)
    assert claims(scene.engine) == []
    scene.clock.forward(LEASE / 2)
    assert claims(scene.worker()) == []  # its lease was prolonged
    assert users(pages) == CROWD[500:]


@pytest.mark.parametrize("ours", [True, False], ids=["leased by a dispatcher of ours", "of a dead owner"])
def test_a_live_page_that_a_crashed_run_had_fixed_is_not_handed_on(scene: Scene, ours: bool) -> None:
    left, new = scene.accept("a", channels=BOTH), scene.accept("b", channels=BOTH)
    owner = scene.engine.leasing.holder.owner if ours else "dead"
    Batches(scene.database).add(a_batch(left, "a", owner=owner, due_at=after(LEASE), rank=Rank.PROMPT))
    load = together(scene.engine)
    assert [page.batch.key.notification for page in load] == [new]
    assert {**scene.standing(left), **scene.standing(new)} == dict.fromkeys("ab", ("pending", None))
    assert [batch["users"] for n in (left, new) for batch in scene.batches(n) if "sequence" in batch] == [["a"], ["b"]]


def test_an_audience_whose_expansion_failed_is_not_kept_by_renewing(scene: Scene) -> None:
    scene.accept("a", "b")
    failing = scene.worker(Interrupted(scene.database, 6, die))
    with pytest.raises(Killed):
        list(paged(failing))
    failing.leasing.renew()
    scene.clock.forward(LEASE)
    failing.leasing.renew()
    assert claims(scene.engine)


def test_a_claimed_audience_is_kept_by_renewing(scene: Scene) -> None:
    scene.accept(*CROWD)
    pages = paged(scene.engine)
    for _ in range(5):
        scene.clock.forward(LEASE / 3)
        scene.engine.leasing.renew()
    assert claims(scene.worker()) == []
    assert users(list(pages)) == CROWD


def test_a_cancelled_notification_is_expanded_so_that_each_recipient_has_an_entry_that_says_so(scene: Scene) -> None:
    notification = scene.accept("a", "b")
    Notifications(scene.database).cancel(notification)
    scene.work()
    assert scene.standing(notification) == dict.fromkeys("ab", ("cancelled", "cancelled_by_backend"))
    assert scene.accepted() == []


def together(engine: Engine) -> Load:
    """All that waits, which is brief, claimed and expanded together."""
    found = claims(engine)
    assert all(claim.brief for claim in found)
    return [page for load in engine.expansion.together(found) for page in load]


def some_brief(scene: Scene, serial: str = "") -> list[str]:
    """Notifications to some of the same people: two known with a phone, one muted, one unknown until now."""
    for user in "ab":
        scene.register(user)
    scene.services.people.put("muted", {})
    scene.database["users"].update_one({"_id": "muted"}, {"$set": {"muted": {"groups": [], "categories": ["news"]}}})
    return [
        scene.accept("a", "b", "muted", channels=BOTH, category="news"),
        scene.accept("a", f"new{serial}", community="school"),
        scene.accept("muted", category="news"),
        scene.accept("b", "muted", f"new{serial}", community="club"),
        scene.accept("b", channels=(Channel.REALTIME,)),
    ]


def test_brief_notifications_are_expanded_together_each_with_its_own_recipients(scene: Scene) -> None:
    accepted = some_brief(scene)
    load = together(scene.engine)
    assert [(page.batch.key.notification, page.recipients) for page in load] == [
        (accepted[0], ("a", "b")),
        (accepted[1], ("a", "new")),
        (accepted[2], ()),
        (accepted[3], ("b", "muted", "new")),
    ]
    assert all(page.batch.due_at == after(LEASE) and page.batch.owner for page in load)
    muted = [scene.standing(notification).get("muted") for notification in accepted]
    assert muted == [("suppressed", "muted_category"), None, ("suppressed", "muted_category"), ("pending", None), None]
    assert [scene.services.inspection.get(notification).recipients for notification in accepted] == [3, 2, 1, 3, 1]
    assert [scene.state(notification) for notification in accepted] == [*["dispatching"] * 4, "done"]
    assert scene.services.people.get("new").community == "school"
    announced = [batch["users"] for n in accepted for batch in scene.batches(n) if batch["stage"] == "announce"]
    assert announced == [["a", "b", "muted"], ["b"]]


def test_a_load_of_brief_notifications_is_delivered_together(scene: Scene) -> None:
    accepted = some_brief(scene)
    scene.engine.delivery.deliver(together(scene.engine))
    assert Counter(scene.accepted()) == {"a:phone": 2, "b:phone": 2}
    assert [scene.state(notification) for notification in accepted] == ["done"] * 5
    _check_brief(scene, accepted, "")


def test_brief_notifications_that_are_cancelled_or_expired_are_entered_and_not_sent(scene: Scene) -> None:
    scene.register("a")
    cancelled, expired, sent = scene.accept("a"), scene.accept("a", ttl=10), scene.accept("a")
    Notifications(scene.database).cancel(cancelled)
    load = together(scene.engine)
    scene.clock.forward(10)
    scene.engine.delivery.deliver(load)
    standing = [scene.standing(notification)["a"] for notification in (cancelled, expired, sent)]
    assert standing == [("cancelled", "cancelled_by_backend"), ("expired", "ttl_over"), ("sent", None)]
    assert scene.accepted() == ["a:phone"]


def test_brief_notifications_in_hand_are_kept_by_renewing_and_let_go_when_they_fail(scene: Scene) -> None:
    accepted = [scene.accept(user) for user in "ab"]
    failing = scene.worker(Interrupted(scene.database, 5, die))
    claimed = claims(failing)
    scene.clock.forward(LEASE / 2)
    failing.leasing.renew()  # two operations
    scene.clock.forward(LEASE / 2)
    assert not claims(scene.engine)
    with pytest.raises(Killed):
        list(failing.expansion.together(claimed))
    failing.leasing.renew()
    scene.clock.forward(LEASE / 2)
    assert [claim.notification.id for claim in claims(scene.engine)] == accepted


def test_of_brief_notifications_those_that_a_dead_expander_left_come_due_with_its_lease(scene: Scene) -> None:
    left, new = scene.accept("a"), scene.accept("b")
    Batches(scene.database).add(a_batch(left, "a", owner="dead", due_at=after(LEASE), rank=Rank.PROMPT))
    [page] = together(scene.engine)
    assert (page.batch.key.notification, page.recipients) == (new, ("b",))
    assert {**scene.standing(left), **scene.standing(new)} == dict.fromkeys("ab", ("pending", None))
    assert not [page for page in scene.worker().leasing.take() if page.batch.key.notification == left]
    scene.clock.forward(LEASE)
    other = scene.worker().leasing.take()
    assert (left, ("a",)) in [(page.batch.key.notification, page.batch.users) for page in other]


def test_who_has_lost_one_of_the_brief_leases_sends_nothing_and_others_send_it_all(scene: Scene) -> None:
    accepted = some_brief(scene)
    slow = claims(scene.engine)
    scene.database["notifications"].update_one({"_id": object_id(accepted[1])}, {"$set": {"owner": "another"}})
    loads = list(scene.engine.expansion.together(slow))  # what is announced is expanded apart from the others
    assert {page.batch.key.notification for load in loads for page in load} == {accepted[0]}
    for load in loads:
        scene.engine.delivery.deliver(load)
    assert scene.engine.leasing.holder.batches.keys() == set()
    scene.clock.forward(LEASE)
    scene.work(scene.worker())
    scene.upkeep.reap()
    _check_brief(scene, accepted, "")
    assert max(Counter(scene.accepted()).values()) == 2


def _check_brief(scene: Scene, accepted: list[str], serial: str) -> None:
    """Everyone has the entries that are due to them, was sent to, and is in one batch; and all of it is over."""
    waits, muted, sent = ("pending", "no_device"), ("suppressed", "muted_category"), ("sent", None)
    new = f"new{serial}"
    assert [scene.standing(notification) for notification in accepted] == [
        {"a": sent, "b": sent, "muted": muted},
        {"a": sent, new: waits},
        {"muted": muted},
        {"b": sent, "muted": waits, new: waits},
        {"b": ("pending", None)},
    ]
    for notification, recipients in zip(accepted, (3, 2, 1, 3, 1), strict=True):
        assert scene.services.inspection.get(notification).recipients == recipients
        assert scene.state(notification) == "done"
    for number, notification in enumerate(accepted[:4]):
        assert scene.violations(notification, figures=number == 0) == []
    announced = [batch["users"] for n in accepted for batch in scene.batches(n) if batch["stage"] == "announce"]
    assert announced == [["a", "b", "muted"], ["b"]]
    owned = scene.database["batches"].count_documents({"owner": {"$ne": None}})
    assert (owned, scene.database["notifications"].count_documents({"owner": {"$ne": None}})) == (0, 0)
    lines = Counter(line["status"] for entry in entered(scene) for line in entry["history"])
    assert lines["sent"] == 4


def _interrupt_brief(scene: Scene, action: Callable[[], None]) -> int:
    """Let `action` happen before each operation in turn of a worker's that expands and delivers; how many there are."""
    for moment in count():
        scene.fcm.clear()
        accepted = some_brief(scene, str(moment))
        database = Interrupted(scene.database, moment, action)
        interrupted = scene.worker(database)
        with suppress(Killed):
            scene.work(interrupted)
        scene.clock.forward(LEASE)
        scene.work(scene.worker())
        scene.upkeep.reap()
        _check_brief(scene, accepted, str(moment))
        assert max(Counter(scene.accepted()).values()) <= 4  # two notifications, each in flight twice at worst
        if not database.happened:
            return moment
        for name in ("notifications", "registry", "batches", *COUNTED):
            scene.database[name].delete_many({})
    raise AssertionError


def test_a_worker_may_die_before_any_operation_on_brief_notifications_and_nobody_is_lost(scene: Scene) -> None:
    assert _interrupt_brief(scene, die) > 20


@pytest.mark.usefixtures("impatient")
def test_leases_of_brief_notifications_may_be_lost_before_any_operation(scene: Scene) -> None:
    def take_over() -> None:
        scene.clock.forward(LEASE)
        scene.work(scene.worker())

    assert _interrupt_brief(scene, take_over) > 20
