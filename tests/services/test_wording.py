import pytest

from notify_server.domain.inbox import Place
from notify_server.domain.notification import Message
from notify_server.domain.registry import Status
from notify_server.domain.texts import Text, Texts
from notify_server.domain.user_fields import UserField, mark
from notify_server.services.wording import Wording
from notify_server.storage.devices import Devices
from notify_server.storage.documents import Store, new_id
from notify_server.storage.inbox import Entry
from notify_server.storage.notifications import Notifications
from notify_server.storage.users import Users
from tests.builders import NOON, a_device, a_notification, after

TEXTS = Texts("t", 1, "en", {"en": Text("Hello"), "de": Text("Hallo")})
EMAIL = mark(UserField.EMAIL)


@pytest.fixture
def wording(database: Store) -> Wording:
    return Wording(Notifications(database), Users(database), Devices(database))


def an_entry(notification: str, user: str = "u", locale: str | None = None) -> Entry:
    return Entry(user, notification, Status.SENT, Place.UNREAD, (), None, locale)


def said(wording: Wording, made, *entries: Entry) -> list[str | None]:
    return [each.message.title for each in wording.said([(made, entry) for entry in entries])]


def test_the_locale_of_the_entry_decides(wording: Wording) -> None:
    made = a_notification(texts=TEXTS, message=Message("Hello", link="https://example.org"))
    assert said(wording, made, an_entry(made.id, locale="de"), an_entry(made.id, locale="en")) == ["Hallo", "Hello"]
    [german] = wording.said([(made, an_entry(made.id, locale="de"))])
    assert german.message == Message("Hallo", link="https://example.org")


def test_without_one_the_device_that_was_heard_of_last_decides(wording: Wording) -> None:
    for number, (device, locale) in enumerate([("old", "en"), ("new", "de-AT"), ("silent", None)]):
        made = a_device("u", device, locale=locale, confirmed_at=after(number), registered_at=NOON)
        wording.devices.register(made)
    made = a_notification(texts=TEXTS)
    assert said(wording, made, an_entry(made.id), an_entry(made.id, "v")) == ["Hallo", "Hello"]


def test_a_readers_own_fields_are_theirs(wording: Wording) -> None:
    wording.users.put("u", {"email": "u@example.org"}, NOON)
    made = a_notification(texts=Texts("t", 1, "en", {"en": Text(f"To {EMAIL}")}, frozenset({UserField.EMAIL})))
    assert said(wording, made, an_entry(made.id, "u"), an_entry(made.id, "gone")) == ["To u@example.org", "To "]


def test_what_has_no_template_is_the_same_object(wording: Wording) -> None:
    made = a_notification()
    assert wording.said([(made, an_entry(made.id))]) == [made]


def test_entries_are_read_with_what_they_say_in_their_order(wording: Wording) -> None:
    notifications = [a_notification(texts=TEXTS), a_notification()]
    for made in notifications:
        wording.notifications.add(made, None)
    entries = [an_entry(notifications[1].id), an_entry(new_id()), an_entry(notifications[0].id, locale="de")]
    found = wording.read(entries)
    assert [entry for _, entry in found] == [entries[0], entries[2]]
    assert [each.message.title for each, _ in found] == ["Booking confirmed", "Hallo"]
    assert wording.read([]) == []
