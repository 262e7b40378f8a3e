from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notify_server.channels.fcm import trial
from notify_server.channels.fcm.encoding import encode
from notify_server.domain.notification import Message, Notification
from notify_server.errors import InvalidInput
from tests.channels.fcm.conftest import NOW, a_notification

TEXTS = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.builds(lambda text, times: text * times, st.text(min_size=1, max_size=3), st.integers(1, 5000)),
)
HOSTS = st.sampled_from(["example.org", "a", "a.", "-", "", "EXAMPLE.org", "ä.org", "user@a.org", "a..b", "1.2.3.4:8"])
SCHEMES = st.sampled_from(["https://", "http://", "https:/", "app://", ""])
PATHS = st.sampled_from(["", "/", "/ä", "/a?b=c", "/%"])
URLS = st.one_of(st.none(), st.builds("{}{}{}".format, SCHEMES, HOSTS, PATHS))
KEYS = st.one_of(st.text(max_size=10), st.sampled_from(["from", "google.x", "notification_id", "link", "category"]))
DATA = st.dictionaries(KEYS, st.one_of(st.text(max_size=30), st.text(min_size=400, max_size=700)), max_size=8)
MESSAGES = st.builds(Message, TEXTS, TEXTS, URLS, URLS, DATA)


def found_by(check: Any, notification: Notification) -> Any:
    try:
        check(notification, NOW)
    except InvalidInput as error:
        return error.errors
    return None


@given(message=MESSAGES, category=st.one_of(st.none(), st.text(max_size=64)), ttl=st.sampled_from([-1, 0, 60, 2**40]))
@example(message=Message("T" * 549), category=None, ttl=60)
@example(message=Message("\0" * 600), category=None, ttl=60)
@example(message=Message("\U0001f600" * 600), category=None, ttl=60)
@example(message=Message("T", link="https://a"), category="c", ttl=60)
def test_it_finds_what_encoding_finds(message: Message, category: str | None, ttl: int) -> None:
    notification = a_notification(message=message, category=category, ttl=ttl)
    assert found_by(trial.check, notification) == found_by(encode, notification)


@pytest.mark.parametrize("message", [Message(title=7), Message("T", data={"k": 1})])  # type: ignore[arg-type]
def test_what_is_no_text_is_looked_at_closely(message: Message) -> None:
    notification = a_notification(message=message)
    assert found_by(trial.check, notification) == found_by(encode, notification) is not None
