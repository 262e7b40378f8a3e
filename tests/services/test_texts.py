import pytest

from notify_server.domain.notification import Message
from notify_server.domain.texts import Mail, Text, Texts
from notify_server.domain.user import User
from notify_server.domain.user_fields import UserField, mark
from notify_server.errors import NotFound
from notify_server.services.texts import Mails
from notify_server.storage.documents import Store
from notify_server.storage.notifications import Notifications
from tests.builders import a_notification

ID = mark(UserField.ID)
TEXTS = Texts("t", 1, "en", {"en": Text("Hello", "World"), "de": Text("Hallo", "Welt")})
MAILS = {"en": Mail("S", "Hello", "<p>Hello</p>"), "de": Mail("S", "Hallo", "<p>Hallo</p>")}


@pytest.fixture
def store(database: Store) -> Notifications:
    return Notifications(database)


@pytest.fixture
def mails(store: Notifications) -> Mails:
    return Mails(store)


@pytest.mark.parametrize(("locale", "text"), [("de-AT", "Hallo"), ("fr", "Hello"), (None, "Hello")])
def test_a_mail_is_in_the_locale_of_its_reader(mails: Mails, store: Notifications, locale: str, text: str) -> None:
    made = a_notification(texts=TEXTS, mails=MAILS)
    store.add(made, None)
    read = store.get(made.id)[0]
    assert read.mails == {}
    assert mails.to(read, User("u", locale=locale)) == Mail("S", text, f"<p>{text}</p>")


def test_all_readers_of_a_locale_get_the_same_object(mails: Mails, store: Notifications) -> None:
    made = a_notification(texts=TEXTS, mails=MAILS)
    store.add(made, None)
    assert mails.to(made, User("a", locale="de")) is mails.to(made, User("b", locale="de-CH"))


def test_a_readers_own_fields_are_put_in_and_escaped_in_html(mails: Mails, store: Notifications) -> None:
    own = Texts("t", 1, "en", {"en": Text("T")}, frozenset({UserField.ID}))
    made = a_notification(texts=own, mails={"en": Mail(f"S {ID}", f"Hi {ID}", f"<p>{ID}</p>")})
    store.add(made, None)
    assert mails.to(made, User("a&b")) == Mail("S a&b", "Hi a&b", "<p>a&amp;b</p>")


def test_without_a_mail_of_its_own_title_and_body_make_one(mails: Mails, store: Notifications) -> None:
    made = a_notification(texts=TEXTS)
    store.add(made, None)
    assert mails.to(made, User("u", locale="de")) == Mail("Hallo", "Welt")


def test_a_message_without_a_template_makes_one_too(mails: Mails) -> None:
    assert mails.to(a_notification(message=Message("T", "B", link="https://example.org")), User("u")) == Mail(
        "T", "B\n\nhttps://example.org"
    )
    long = mails.to(a_notification(message=Message(None, "one\ntwo " * 90)), User("u"))
    assert len(long.subject) <= 200
    assert long.subject.startswith("one two one")
    assert mails.to(a_notification(message=Message("T")), User("u")) == Mail("T", "T")


def test_what_is_not_there_is_not_found(mails: Mails) -> None:
    with pytest.raises(NotFound):
        mails.to(a_notification(texts=TEXTS), User("u"))
