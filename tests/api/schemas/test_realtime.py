import json

import pytest

from notify_server.api.schemas.realtime import RealtimeNotifySchema
from notify_server.domain.notification import Channel, Priority


def load(payload, **fields):
    return RealtimeNotifySchema().load({"userIds": ["b", "a", "b"], "payload": payload, **fields})


def test_it_is_a_draft_on_the_realtime_channel_that_overtakes_others():
    draft = load({"b": 1, "a": [True, "é"]}, options={"ttl": 9, "category": "c"})
    assert (draft.audience.users, draft.channels, draft.priority) == (("a", "b"), (Channel.REALTIME,), Priority.HIGH)
    assert (draft.ttl, draft.category) == (9, "c")
    assert json.loads(draft.payload) == {"b": 1, "a": [True, "é"]}
    assert draft.payload.startswith('{"b"')  # as it came


@pytest.mark.parametrize("title", ["", "x" * 1025, "two\nlines", "\u202eevil", 5, None, {"a": 1}])
def test_a_title_that_no_message_could_have_is_not_shown_in_the_inbox(title):
    draft = load({"title": title})
    assert draft.message.title is None
    assert json.loads(draft.payload) == {"title": title}


def test_a_body_may_have_lines():
    draft = load({"title": "T", "body": "two\nlines"})
    assert (draft.message.title, draft.message.body) == ("T", "two\nlines")
