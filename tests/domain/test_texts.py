import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_server.domain.texts import Mail, Text, Texts
from notify_server.domain.user import User
from notify_server.domain.user_fields import UserField, mark

TEXTS = Texts("t", 1, "en", {"en": Text("Hello"), "de": Text("Hallo"), "de-AT": Text("Servus")})


@pytest.mark.parametrize(
    ("known", "chosen"),
    [
        (("de-AT",), "de-AT"),
        (("de-CH",), "de"),
        (("fr",), "en"),
        ((), "en"),
        ((None, "de"), "de"),
        (("fr", "de"), "en"),  # the profile's says what they read, though it is not there
        (("", "de_AT"), "de-AT"),
    ],
)
def test_the_first_locale_that_is_known_decides(known, chosen):
    assert TEXTS.choose(*known) == chosen


@given(st.lists(st.none() | st.text(max_size=8), max_size=3))
def test_whatever_is_known_a_locale_that_is_there_is_chosen(known):
    assert TEXTS.choose(*known) in TEXTS.locales


def test_a_locale_that_is_gone_reads_the_default():
    assert TEXTS.of("fr") == TEXTS.of(None) == Text("Hello")
    assert TEXTS.of("de") == Text("Hallo")


def test_texts_and_mails_are_filled_for_a_user():
    name = mark(UserField.ID)
    assert Text(f"Hi {name}").filled(User("<u>")) == Text("Hi <u>")
    mail = Mail(f"For {name}", f"Hi {name}", f"<p>{name}</p>")
    assert mail.filled(User("<u>")) == Mail("For <u>", "Hi <u>", "<p>&lt;u&gt;</p>")


def test_neither_says_anything_in_a_log():
    assert "secret" not in repr((Text("secret"), Mail("secret", "secret", "secret"), TEXTS))
