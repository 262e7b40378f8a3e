import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from notify_server.channels.fcm.message import build
from notify_server.domain.notification import Message, Notification, Priority
from notify_server.storage.documents import new_id
from tests.channels.fcm.conftest import NOW, a_notification


def wire(notification: Notification, after: float = 0) -> dict[str, Any]:
    """The message as FCM sees it, built `after` seconds after acceptance."""
    message: dict[str, Any] = json.loads(str(build(notification, NOW + timedelta(seconds=after), "f")))
    return message


def test_a_full_notification_uses_every_platforms_fields() -> None:
    message = Message("Title", "Body", "https://x.org/i.png", "https://x.org/", {"booking_id": "123"})
    notification = a_notification(message=message, category="booking", priority=Priority.HIGH, ttl=600)
    assert wire(notification) == {
        "fid": "f",
        "data": {"booking_id": "123", "link": "https://x.org/", "category": "booking", "notification_id": "n1"},
        "notification": {"title": "Title", "body": "Body", "image": "https://x.org/i.png"},
        "android": {"priority": "high", "ttl": "600s", "notification": {"tag": "n1"}},
        "apns": {
            "headers": {
                "apns-priority": "10",
                "apns-push-type": "alert",
                "apns-expiration": str(int(NOW.timestamp()) + 600),
                "apns-collapse-id": "n1",
            },
            "payload": {"aps": {"mutable-content": 1, "sound": "default"}},
        },
        "webpush": {
            "headers": {"TTL": "600", "Urgency": "high"},
            "notification": {"tag": "n1"},
            "fcm_options": {"link": "https://x.org/"},
        },
    }


def test_a_data_only_notification_wakes_the_app_and_shows_nothing() -> None:
    message = wire(a_notification(message=Message(data={"sync": "1"}), priority=Priority.HIGH))
    assert "notification" not in message
    assert "notification" not in message["android"]
    assert "notification" not in message["webpush"]
    assert message["apns"]["payload"] == {"aps": {"content-available": 1}}
    assert message["apns"]["headers"]["apns-priority"] == "5"
    assert message["apns"]["headers"]["apns-push-type"] == "background"


@pytest.mark.parametrize(("after", "left"), [(-60, 600), (0, 600), (200, 400), (600, 0), (700, 0)])
def test_the_time_to_live_is_what_is_left_of_it(after: float, left: int) -> None:
    message = wire(a_notification(ttl=600), after)
    assert message["android"]["ttl"] == f"{left}s"
    assert message["webpush"]["headers"]["TTL"] == str(left)
    assert message["apns"]["headers"]["apns-expiration"] == str(int(NOW.timestamp()) + 600)


def test_a_link_into_the_app_reaches_the_app_but_not_the_browser() -> None:
    message = wire(a_notification(message=Message("T", link="app://booking/1")))
    assert message["data"]["link"] == "app://booking/1"
    assert "fcm_options" not in message["webpush"]


def test_no_data_stands_in_for_the_link_and_the_category_that_were_checked() -> None:
    data = {"link": "javascript:alert(1)", "category": "c"}
    message = wire(a_notification(message=Message("T", link="https://x.org/", data=data), category="booking"))
    assert message["data"] == {"link": "https://x.org/", "category": "booking", "notification_id": "n1"}


@pytest.mark.parametrize("message", [Message("T"), Message(data={"sync": "1"})])
@pytest.mark.parametrize("priority", list(Priority))
def test_no_message_is_collapsible_and_each_repeat_carries_the_same_ids(message: Message, priority: Priority) -> None:
    notification = replace(a_notification(message=message, priority=priority), id=new_id())
    first, repeat = wire(notification), wire(notification, 100)
    for sent in (first, repeat):
        shown = [sent["android"].get("notification"), sent["webpush"].get("notification")]
        assert shown == ([{"tag": notification.id}] * 2 if message.title else [None] * 2)
        assert sent["apns"]["headers"]["apns-collapse-id"] == notification.id
        assert len(sent["apns"]["headers"]["apns-collapse-id"].encode()) <= 64
        assert sent["data"]["notification_id"] == notification.id
        assert "collapse_key" not in sent["android"]
        assert "Topic" not in sent["webpush"]["headers"]
