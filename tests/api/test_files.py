import json

import pytest

from notify_server.api import files
from notify_server.domain.notification import Audience, Channel, Message
from notify_server.errors import InvalidInput, Refused
from notify_server.services.clock import utc_now
from notify_server.services.composition import Composed

PAYLOAD = {"message": {"title": "t"}, "users": ["b", "a"]}


def test_a_file_is_read_as_a_request_is():
    draft = files.draft(json.dumps(PAYLOAD).encode())
    assert (draft.message, draft.audience) == (Message("t"), Audience(("a", "b")))


@pytest.mark.parametrize(
    ("payload", "named"),
    [(PAYLOAD | {"x": 1}, {"x"}), ({"users": [1]}, {"message", "users.0"}), ({"$a": 1}, {"$a"}), ([], {"body"})],
)
def test_what_a_request_may_not_hold_a_file_may_not_either(payload, named):
    with pytest.raises(InvalidInput) as caught:
        files.draft(json.dumps(payload).encode())
    assert caught.value.errors.keys() == named


def test_a_file_that_is_not_json_is_refused():
    with pytest.raises(Refused):
        files.draft(b"title: Hello")


def test_the_answer_has_the_members_of_the_apis():
    draft = files.draft(json.dumps(PAYLOAD).encode())
    notification = draft.notification(Composed(Message(), (Channel.PUSH,)), utc_now())
    assert json.loads(files.answer(notification)).keys() == {"id", "state", "created_at", "expires_at"}
