import pytest

from notify_server.api.schemas.shown_notification import (
    CountsSchema,
    NotificationPageSchema,
    ResendQueuedSchema,
    ShownNotificationSchema,
)
from notify_server.domain.notification import Audience, Channel, Message, Priority, ResendPolicy
from notify_server.domain.registry import Status
from notify_server.services.inspection import Listed, Standing
from tests.builders import a_notification, after

NOTIFICATION = a_notification(
    id="6560a0000000000000000001",
    message=Message("T", "B", "https://a.example/i.png", "https://a.example/", {"k": "v"}),
    audience=Audience(("u1",), ("choir",), ("school",)),
    category="booking",
    channels=(Channel.PUSH, Channel.REALTIME),
    priority=Priority.HIGH,
    ttl=60,
    send_at=after(1.25),
    resend=ResendPolicy(10, 3),
    push_after=30,
)
COUNTS = {status.value: number for number, status in enumerate(Status)}


def test_one_is_shown_as_it_was_accepted_without_its_named_users():
    shown = ShownNotificationSchema().dump(Standing(NOTIFICATION, 28, COUNTS, {}))
    assert shown["message"] == {
        "title": "T",
        "body": "B",
        "image": "https://a.example/i.png",
        "link": "https://a.example/",
        "data": {"k": "v"},
    }
    assert shown["resend"] == {"after": 10, "times": 3}
    assert (shown["channels"], shown["priority"], shown["push_after"]) == (["push", "realtime"], "high", 30)
    assert (shown["groups"], shown["communities"], shown["everyone"]) == (["choir"], ["school"], False)
    assert (shown["send_at"], shown["expires_at"]) == ("2026-11-20T12:00:01.250Z", "2026-11-20T12:01:01.250Z")
    assert (shown["recipients"], shown["counts"]) == (28, COUNTS)
    assert "u1" not in repr(shown)


def test_a_list_shows_recipients_and_counts_nothing():
    page = NotificationPageSchema().dump({"notifications": [Listed(NOTIFICATION, 28)], "next": None})
    assert page["next"] is None
    (shown,) = page["notifications"]
    assert (shown["id"], shown["recipients"]) == (NOTIFICATION.id, 28)
    assert not {"counts", "erased"} & shown.keys()


def test_every_status_is_counted():
    assert set(CountsSchema().fields) == {status.value for status in Status}


@pytest.mark.parametrize("field", ["id", "queued", "skipped"])
def test_what_was_queued_is_always_told(field):
    assert ResendQueuedSchema().fields[field].required
