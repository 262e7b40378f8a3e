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
    assert mails.of(read, TEXTS.choose(locale)) == Mail("S", text, f"<p>{text}</p>")


def test_all_readers_of_a_locale_get_the_same_object(mails: Mails, store: Notifications) -> None:
    made = a_notification(texts=TEXTS, mails=MAILS)
    store.add(made, None)
    assert mails.of(made, "de") is mails.of(made, "de")


def test_a_readers_own_fields_are_put_in_and_escaped_in_html(mails: Mails, store: Notifications) -> None:
    own = Texts("t", 1, "en", {"en": Text("T")}, frozenset({UserField.ID}))
    made = a_notification(texts=own, mails={"en": Mail(f"S {ID}", f"Hi {ID}", f"<p>{ID}</p>")})
    store.add(made, None)
    assert mails.of(made, "en").filled(User("a&b")) == Mail("S a&b", "Hi a&b", "<p>a&amp;b</p>")


def test_without_a_mail_of_its_own_title_and_body_make_one(mails: Mails, store: Notifications) -> None:
    made = a_notification(texts=TEXTS)
    store.add(made, None)
    assert mails.of(made, "de") == Mail("Hallo", "Welt")


def test_a_message_without_a_template_makes_one_too(mails: Mails) -> None:
    assert mails.of(a_notification(message=Message("T", "B", link="https://example.org")), None) == Mail(
        "T", "B\n\nhttps://example.org"
    )
    long = mails.of(a_notification(message=Message(None, "one\ntwo " * 90)), None)
    assert len(long.subject) <= 200
    assert long.subject.startswith("one two one")
    assert mails.of(a_notification(message=Message("T")), None) == Mail("T", "T")


def test_what_is_not_there_is_not_found(mails: Mails) -> None:
    with pytest.raises(NotFound):
        mails.of(a_notification(texts=TEXTS), "en")


@pytest.mark.parametrize("title", ["x" * 300, "日" * 300, "Dampf" * 60])
def test_a_long_title_without_spaces_is_cut_and_not_left_out(mails: Mails, title: str) -> None:
    subject = mails.of(a_notification(message=Message(title)), None).subject
    assert subject == title[:199] + "…"


def test_no_more_is_kept_in_memory_than_a_few_million_characters(
    mails: Mails, store: Notifications, database: Store
) -> None:
    made = [a_notification(texts=TEXTS, mails={"en": Mail("S", "x" * 1_500_000)}) for _ in range(7)]
    for each in made:
        store.add(each, None)
        assert len(mails.of(each, "en").text) == 1_500_000
    database["notifications"].delete_many({})
    for each in made[-5:]:
        assert len(mails.of(each, "en").text) == 1_500_000
    with pytest.raises(NotFound):
        mails.of(made[1], "en")
