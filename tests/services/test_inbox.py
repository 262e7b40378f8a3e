from datetime import UTC, datetime, timedelta

import pytest
from bson import ObjectId
from prometheus_client import REGISTRY

from notify_server.domain.notification import Message
from notify_server.domain.registry import Status
from notify_server.errors import NotFound
from notify_server.services.inbox import Counts, Filter, Marked, Reading, View
from notify_server.services.reception import Report
from notify_server.storage.documents import new_id, object_id
from tests.builders import NOON, after
from tests.services.scene import Scene


@pytest.fixture
def inbox(scene: Scene) -> Reading:
    for user in "ab":
        scene.register(user)
    return scene.services.inbox


def listed(inbox: Reading, user: str = "a", view: View = View.ALL, **filters: str) -> list[str]:
    return [item.notification.id for item in inbox.page(user, Filter(view, **filters), None, 99).items]


def test_an_item_is_the_notification_with_how_the_user_stands_to_it(scene: Scene, inbox: Reading) -> None:
    scene.services.membership.change("choir", ["a"], [])
    made = scene.accept(groups=("choir",), category="news", message=Message("T", "B", data={"k": "v"}))
    scene.work()
    [item] = inbox.page("a", Filter(), None, 9).items
    assert item == inbox.get("a", made)
    assert (item.notification.id, item.notification.message) == (made, Message("T", "B", data={"k": "v"}))
    assert (item.groups, item.status, item.is_read, item.read_at) == (["choir"], Status.SENT, False, None)


def test_pages_repeat_and_skip_nothing_while_new_ones_arrive(scene: Scene, inbox: Reading) -> None:
    made = [scene.accept("a") for _ in range(7)]
    scene.work()
    walked, cursor = [], None
    while True:
        page = inbox.page("a", Filter(), cursor, 2)
        walked += [item.notification.id for item in page.items]
        scene.accept("a")
        scene.work()
        if page.last is None:
            break
        cursor = page.last
    assert walked == made[::-1]


def test_what_is_scheduled_is_not_there_yet(scene: Scene, inbox: Reading) -> None:
    made = scene.accept("a", send_at=after(60))
    scene.work()
    assert listed(inbox) == []
    scene.clock.forward(60)
    scene.upkeep.release()
    scene.work()
    assert listed(inbox) == [made]


def test_what_waits_for_a_device_or_cannot_be_delivered_is_there(scene: Scene, inbox: Reading) -> None:
    waiting, failed = scene.accept("c"), scene.accept("b")
    scene.fcm.behave(unregistered=1)
    scene.work()
    assert (listed(inbox, "c"), listed(inbox, "b")) == ([waiting], [failed])
    assert inbox.get("b", failed).status is Status.FAILED


def test_what_is_cancelled_or_expired_leaves_but_for_what_a_device_has(scene: Scene, inbox: Reading) -> None:
    cancelled, expired = scene.accept("a", "c"), scene.accept("a", "c", ttl=60)
    scene.work()
    scene.services.reception.report("a", [Report(cancelled, Status.RECEIVED), Report(expired, Status.READ)])
    scene.services.cancellation.cancel(cancelled)
    scene.clock.forward(61)
    scene.upkeep.expire()
    assert (listed(inbox, "c"), listed(inbox, "a")) == ([], [expired, cancelled])
    with pytest.raises(NotFound):
        inbox.get("c", cancelled)


def test_a_cancelled_notification_is_gone_before_its_entries_are_swept(scene: Scene, inbox: Reading) -> None:
    made, other = scene.accept("c"), scene.accept("c")
    scene.work()
    scene.database["notifications"].update_one({"_id": object_id(made)}, {"$set": {"state": "cancelled"}})
    assert listed(inbox, "c") == [other]
    with pytest.raises(NotFound):
        inbox.get("c", made)


def test_what_was_read_before_a_cancel_stays(scene: Scene, inbox: Reading) -> None:
    made = scene.accept("c", "b")
    scene.expand()
    inbox.mark("c", made, read=True)
    scene.services.cancellation.cancel(made)
    assert listed(inbox, "c") == [made]


def test_nobody_finds_what_is_anothers(scene: Scene, inbox: Reading) -> None:
    made = scene.accept("a")
    scene.work()
    refusals = []
    for user, notification in (("b", made), ("b", new_id()), ("nobody", made)):
        for attempt in (inbox.get, lambda u, n: inbox.mark(u, n, read=True)):
            with pytest.raises(NotFound) as refusal:
                attempt(user, notification)
            refusals.append(str(refusal.value).replace(notification, "…"))
    assert len(set(refusals)) == 1
    assert scene.standing(made) == {"a": ("sent", None)}


def test_a_read_is_a_receipt_and_unread_again_is_not(scene: Scene, inbox: Reading) -> None:
    made = scene.accept("a")
    scene.work()
    scene.clock.forward(5)
    item = inbox.mark("a", made, read=True)
    assert (item.status, item.is_read, item.read_at) == (Status.READ, True, after(5))
    assert scene.entry(made, "a")["received_at"] == after(5)
    scene.clock.forward(5)
    item = inbox.mark("a", made, read=False)
    assert (item.status, item.is_read, item.read_at) == (Status.READ, False, after(5))
    assert (listed(inbox, view=View.UNREAD), listed(inbox, view=View.READ), inbox.unread("a")) == ([made], [], 1)
    assert scene.services.inspection.get(made).counts["read"] == 1
    assert scene.violations(made) == []


def test_a_late_receipt_does_not_undo_the_users_own_mark(scene: Scene, inbox: Reading) -> None:
    made = scene.accept("a")
    scene.work()
    inbox.mark("a", made, read=True)
    inbox.mark("a", made, read=False)
    scene.services.reception.report("a", [Report(made, Status.READ), Report(made, Status.RECEIVED)])
    assert inbox.get("a", made).is_read is False


def test_what_is_read_in_the_inbox_before_it_is_sent_is_not_sent(scene: Scene, inbox: Reading) -> None:
    made = scene.accept("c")
    scene.work()
    inbox.mark("c", made, read=True)
    scene.register("c")
    scene.work()
    assert scene.accepted() == []
    assert scene.standing(made) == {"c": ("read", None)}


def test_unread_ones_are_counted_by_group_and_category(scene: Scene, inbox: Reading) -> None:
    for group in ("choir", "chess"):
        scene.services.membership.change(group, ["a"], [])
    for groups, category in ((("choir", "chess"), "news"), (("choir",), None), (("chess",), "news")):
        scene.accept(groups=groups, category=category)
    read = scene.accept("a", category="sport")
    scene.work()
    inbox.mark("a", read, read=True)
    assert inbox.counts("a") == Counts(3, {"choir": 2, "chess": 2}, {"news": 2})
    assert inbox.counts("nobody") == Counts(0, {}, {})
    assert listed(inbox, group="chess", category="news") != listed(inbox, group="choir")


def test_groups_and_categories_are_marked_or_everything(scene: Scene, inbox: Reading) -> None:
    scene.services.membership.change("choir", ["a"], [])
    scene.accept(groups=("choir",))
    scene.accept("a", category="news")
    left = scene.accept("a", "b")
    scene.work()
    before = REGISTRY.get_sample_value("notify_receipts_total", {"result": "accepted"}) or 0
    assert inbox.mark_read("a", Marked(["choir"], ["news", "other"])) == 2
    assert listed(inbox, view=View.UNREAD) == [left]
    assert inbox.mark_read("a", Marked()) == 1
    assert inbox.mark_read("a", Marked()) == 0
    assert REGISTRY.get_sample_value("notify_receipts_total", {"result": "accepted"}) == before + 3
    assert scene.standing(left) == {"a": ("read", None), "b": ("sent", None)}


def test_a_time_of_acceptance_bounds_what_is_marked_to_the_millisecond(scene: Scene, inbox: Reading) -> None:
    made = [scene.accept("a") for _ in range(3)]
    scene.work()
    second = datetime.fromtimestamp(int(ObjectId(made[1]).generation_time.timestamp()), UTC)
    for identity, offset in zip(made, (0.1, 0.5, 0.9), strict=True):
        moved = f"{int(second.timestamp()):08x}{identity[8:]}"
        _rename(scene, identity, moved, second + timedelta(seconds=offset))
    assert inbox.mark_read("a", Marked(before=second + timedelta(seconds=0.5))) == 1
    assert inbox.mark_read("a", Marked(before=second)) == 0
    assert inbox.mark_read("a", Marked(before=second + timedelta(seconds=1))) == 2


def _rename(scene: Scene, identity: str, moved: str, created_at: datetime) -> None:
    """Let a notification have been accepted at another time."""
    for name, key in (("notifications", object_id(identity)), ("registry", {"n": object_id(identity), "u": "a"})):
        found = scene.database[name].find_one({"_id": key})
        assert found is not None
        scene.database[name].delete_one({"_id": key})
        renamed = object_id(moved) if name == "notifications" else {"n": object_id(moved), "u": "a"}
        scene.database[name].insert_one(found | {"_id": renamed, "created_at": created_at})


def test_an_inbox_of_somebody_unknown_is_empty(inbox: Reading) -> None:
    assert inbox.page("nobody", Filter(), None, 9).items == []
    assert inbox.unread("nobody") == 0
    assert inbox.mark_read("nobody", Marked(before=NOON)) == 0
