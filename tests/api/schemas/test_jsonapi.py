from datetime import UTC, datetime

import pytest
from marshmallow import ValidationError

from notify_server.api.schemas.jsonapi import JsonApiAttributesSchema, JsonApiChangeDocumentSchema
from notify_server.domain.notification import Message
from notify_server.domain.registry import Status
from notify_server.services.inbox import Item
from tests.builders import a_notification

DATA = {"type": "notification", "id": "1"}


def test_the_time_is_shown_to_the_second_in_which_lists_are_sorted():
    at = datetime(2026, 12, 1, 9, 0, 59, 999_000, tzinfo=UTC)
    item = Item("u1", a_notification(created_at=at, message=Message("T")), [], Status.SENT, True, at)
    assert JsonApiAttributesSchema().dump(item) == {
        "title": "T",
        "message": None,
        "received-at": "2026-12-01T09:00:59Z",
        "accept": None,
        "is-read": True,
    }


@pytest.mark.parametrize(("attributes", "changed"), [({}, {}), ({"is-read": False}, {"is_read": False})])
def test_a_change_is_read(attributes, changed):
    loaded = JsonApiChangeDocumentSchema().load({"data": DATA | {"attributes": attributes, "meta": {}}, "more": 1})
    assert loaded == {"data": DATA | {"attributes": changed}}


@pytest.mark.parametrize("data", [{}, DATA | {"attributes": {"title": "t"}}, DATA | {"relationships": {"user": {}}}])
def test_what_cannot_be_changed_is_refused(data):
    with pytest.raises(ValidationError):
        JsonApiChangeDocumentSchema().load({"data": data})
