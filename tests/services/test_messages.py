from datetime import datetime

import pytest

from notify_server.channels.fcm.encoding import EncodedMessage
from notify_server.domain.notification import Message
from notify_server.domain.push import PushTransport
from notify_server.domain.texts import Text, Texts
from notify_server.errors import InvalidInput, NotFound
from notify_server.services.messages import Messages
from notify_server.storage.documents import Store, new_id
from notify_server.storage.notifications import Notifications
from tests.builders import NOON, a_notification, after, at_once
from tests.services.interruption import Interrupted, die


@pytest.fixture
def messages(database: Store, transport: PushTransport) -> Messages:
    return Messages(Notifications(database), transport)


def stored(database: Store, **fields: object) -> str:
    notification = a_notification(**fields)
    Notifications(database).add(notification, None)
    return notification.id


def ttl(messages: Messages, notification: str, now: datetime) -> bytes:
    encoded = messages.get(notification, now).encoded
    assert isinstance(encoded, EncodedMessage)
    return encoded.rest.partition(b'"ttl":"')[2].partition(b'"')[0]


def test_a_message_is_encoded_once_and_kept(database: Store, messages: Messages) -> None:
    notification = stored(database)
    first = messages.get(notification, NOON)
    database["notifications"].delete_many({})
    assert messages.get(notification, after(60)) is first
    assert first.notification.id == notification


def test_a_message_is_made_anew_when_its_time_to_live_is_off_by_more_than_a_minute(
    database: Store, messages: Messages
) -> None:
    notification = stored(database, ttl=600)
    assert [ttl(messages, notification, after(seconds)) for seconds in (0, 60, 61, 121, 122)] == [
        b"600s",
        b"600s",
        b"539s",
        b"539s",
        b"478s",
    ]


def test_messages_are_read_together(database: Store, transport: PushTransport) -> None:
    ids = [stored(database) for _ in range(3)]
    once = Interrupted(database, 1, die)
    messages = Messages(Notifications(once), transport)  # type: ignore[arg-type]
    messages.prefetch(ids, NOON)
    assert [messages.get(one, NOON).notification.id for one in ids] == ids
    messages.prefetch(ids, after(60))


def test_one_message_that_fcm_would_refuse_keeps_no_other_from_being_read(database: Store, messages: Messages) -> None:
    good, bad = stored(database), stored(database, message=Message("Hi", data={"from": "me"}))
    messages.prefetch([bad, good, new_id()], NOON)
    assert messages.get(good, NOON).notification.id == good
    with pytest.raises(InvalidInput):
        messages.get(bad, NOON)


def test_many_messages_in_use_do_not_fill_the_memory(database: Store, messages: Messages) -> None:
    first = stored(database)
    kept = messages.get(first, NOON)
    for _ in range(128):
        messages.get(stored(database), NOON)
    assert messages.get(first, NOON) is not kept


def test_many_threads_may_ask_at_once(database: Store, messages: Messages) -> None:
    notifications = [stored(database) for _ in range(20)]
    found = at_once(*(lambda: [messages.get(one, NOON).notification.id for one in notifications] for _ in range(4)))
    assert found == [notifications] * 4


def test_an_unknown_notification_is_not_found(messages: Messages) -> None:
    with pytest.raises(NotFound):
        messages.get(new_id(), NOON)


def test_what_fcm_would_refuse_is_refused(database: Store, messages: Messages) -> None:
    notification = stored(database, message=Message("Hi", data={"from": "me"}))
    with pytest.raises(InvalidInput):
        messages.get(notification, NOON)


def test_a_template_is_encoded_once_for_each_locale(database: Store, messages: Messages) -> None:
    texts = Texts("t", 1, "en", {"en": Text("Hello"), "de": Text("Hallo")})
    ready = messages.get(stored(database, texts=texts), NOON)
    assert ready.encoded is ready.locales["en"]
    for locale, title in (("en", b'"title":"Hello"'), ("de", b'"title":"Hallo"')):
        encoded = ready.locales[locale]
        assert isinstance(encoded, EncodedMessage)
        assert title in encoded.rest
    assert messages.get(stored(database), NOON).locales == {}
