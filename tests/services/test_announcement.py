from collections.abc import Sequence

import pytest

from notify_server.bootstrap import build_gateway
from notify_server.domain.notification import Channel
from notify_server.services.announcement import Announcement, Announcements
from notify_server.storage.notifications import Notifications
from tests.services.scene import Scene

LIVE = (Channel.REALTIME,)


@pytest.fixture
def announcements(scene: Scene) -> Announcements:
    """Those of a gateway that starts now."""
    return build_gateway(scene.config, scene.database, scene.clock).announcements


def told(found: Sequence[Announcement]) -> list[tuple[str, tuple[str, ...]]]:
    return [(announcement.notification.id, tuple(announcement.users)) for announcement in found]


def test_each_page_is_announced_once_to_each_gateway(scene: Scene, announcements: Announcements) -> None:
    other = build_gateway(scene.config, scene.database, scene.clock).announcements
    first = scene.accept("a", "b", channels=LIVE)
    scene.expand()
    assert told(announcements.fresh()) == [(first, ("a", "b"))]
    second = scene.accept("c", channels=LIVE)
    scene.expand()
    assert told(announcements.fresh()) == [(second, ("c",))]
    assert announcements.fresh() == []
    assert len(other.fresh()) == 2


def test_what_was_announced_before_a_gateway_started_is_not_announced_by_it(scene: Scene) -> None:
    scene.accept("a", channels=LIVE)
    scene.expand()
    scene.clock.forward(1)
    assert build_gateway(scene.config, scene.database, scene.clock).announcements.fresh() == []


def test_an_announcement_is_found_for_a_minute(scene: Scene, announcements: Announcements) -> None:
    scene.accept("a", channels=LIVE)
    scene.expand()
    scene.clock.forward(60)
    late = scene.accept("b", channels=LIVE)
    scene.expand()
    assert len(announcements.fresh()) == 2
    scene.clock.forward(61)
    assert announcements.fresh() == []
    assert late


def test_a_push_notification_is_not_announced(scene: Scene, announcements: Announcements) -> None:
    scene.accept("a")
    scene.expand()
    assert announcements.fresh() == []


def test_what_was_cancelled_or_has_expired_is_not_announced(scene: Scene, announcements: Announcements) -> None:
    cancelled = scene.accept("a", channels=(Channel.PUSH, Channel.REALTIME))
    scene.accept("a", channels=LIVE, ttl=1)
    scene.expand()
    Notifications(scene.database).cancel(cancelled)
    scene.clock.forward(1)
    assert announcements.fresh() == []


def test_an_item_is_what_the_inbox_shows_and_only_for_those_asked_who_have_not_muted_it(
    scene: Scene, announcements: Announcements
) -> None:
    scene.services.membership.replace("choir", None, ["a", "b", "c"])
    scene.database["users"].update_one({"_id": "b"}, {"$set": {"muted.groups": ["choir"]}})
    notification = scene.accept(groups=("choir",), channels=LIVE, category="booking")
    scene.expand()
    [announcement] = announcements.fresh()
    assert announcements.items(announcement, {"a", "b", "stranger"}) == {
        "a": {
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
    }
    assert announcements.items(announcement, {"stranger"}) == {}


def test_what_went_out_to_an_open_socket_is_sent(scene: Scene, announcements: Announcements) -> None:
    notification = scene.accept("a", "b", channels=LIVE)
    scene.expand()
    [announcement] = announcements.fresh()
    announcements.emitted(announcement, ["a"])
    announcements.emitted(announcement, [])
    assert scene.standing(notification) == {"a": ("sent", None), "b": ("pending", None)}
    entry = scene.entry(notification, "a")
    assert (entry["attempts"], entry["history"][-1]["detail"]) == (1, "emitted to an open socket")
