from dataclasses import fields, replace

from notify_server.domain.batch import Rank
from notify_server.domain.notification import (
    Attachment,
    Audience,
    Channel,
    Message,
    Notification,
    Priority,
    ResendPolicy,
    State,
)
from notify_server.domain.statistics import Labels
from notify_server.domain.texts import Mail, Text, Texts
from notify_server.domain.user_fields import UserField
from notify_server.storage.documents import Store, object_id
from notify_server.storage.notification_document import WITHOUT_USERS, from_document, labels_of, to_document
from tests.builders import NOON, a_notification, after

FULL = a_notification(
    message=Message("Title", "Body", "https://example.org/i.png", "https://example.org/", {"$k.": "v", "a.b": ""}),
    audience=Audience(("u1", "u2"), ("choir",), ("school",), everyone=True),
    created_at=after(1),
    state=State.SCHEDULED,
    category="booking",
    community="school-1",
    channels=(Channel.PUSH, Channel.REALTIME),
    priority=Priority.HIGH,
    ttl=60,
    send_at=after(5),
    resend=ResendPolicy(after=10, times=7),
    mandatory=True,
    client="0123456789ab",
    address="192.0.2.7",
    payload='{"a":1}',
    push_after=30,
    email_after=60,
    reply_to="help@example.org",
    attachments=(Attachment("a.pdf", "application/pdf", b"%PDF"),),
    action="booked",
    disabled=True,
    texts=Texts("t", 3, "en", {"en": Text("T", "B"), "de-AT": Text("T")}, frozenset({UserField.ID, UserField.EMAIL})),
    mails={"en": Mail("S", "t", "<p>"), "de-AT": Mail("S", "t")},
)


def test_every_field_of_a_notification_survives_the_database(database: Store) -> None:
    assert all(getattr(FULL, field.name) != field.default for field in fields(Notification))
    for notification in (FULL, a_notification()):
        database["notifications"].insert_one(to_document(notification))
        found = database["notifications"].find_one({"_id": object_id(notification.id)})
        assert found is not None
        assert from_document(found) == notification


def test_a_new_document_waits_to_be_expanded_from_the_beginning() -> None:
    document = to_document(a_notification(ttl=60))
    queue = {name: document[name] for name in ("recipients", "cursor", "expanded", "open", "owner", "due_at", "rank")}
    assert queue == {
        "recipients": 0,
        "cursor": "",
        "expanded": False,
        "open": True,
        "owner": None,
        "due_at": NOON,
        "rank": Rank.BULK,
    }
    assert document["expires_at"] == after(60)


def test_a_scheduled_document_is_due_when_it_is_to_be_sent() -> None:
    document = to_document(FULL)
    assert (document["due_at"], document["expires_at"], document["rank"]) == (after(5), after(65), Rank.HIGH)


def test_what_may_be_large_is_left_out(database: Store) -> None:
    database["notifications"].insert_one(to_document(FULL) | {"erased_parts": [{"q": NOON, "g": None, "t": {}}]})
    found = database["notifications"].find_one({}, WITHOUT_USERS)
    assert found is not None
    assert "erased_parts" not in found
    assert from_document(found) == replace(FULL, audience=replace(FULL.audience, users=()), mails={}, attachments=())


def test_what_it_counts_towards_is_read_from_its_document() -> None:
    assert labels_of(to_document(FULL)) == Labels("booking", "school-1")
    assert labels_of(to_document(replace(FULL, community=None))) == Labels("booking", "school")
