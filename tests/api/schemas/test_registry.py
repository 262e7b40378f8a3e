from datetime import UTC, datetime

import pytest
from marshmallow import ValidationError

from notify_server.api.schemas.registry import EntrySchema, RegistryQuerySchema
from notify_server.domain.registry import Reason, Status

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_an_entry_is_shown_with_every_time_and_its_history():
    entry = {
        "notification_id": "n",
        "user_id": "u",
        "status": "sent",
        "reason": None,
        "groups": ["g"],
        "attempts": 1,
        "pending_at": NOON,
        "sent_at": NOON,
        "received_at": None,
        "read_at": None,
        "history": [{"status": "pending", "at": NOON, "detail": None}, {"status": "sent", "at": NOON, "detail": "d"}],
    }
    noon = "2026-11-20T12:00:00.000Z"
    history = [{"status": "pending", "at": noon, "detail": None}, {"status": "sent", "at": noon, "detail": "d"}]
    assert EntrySchema().dump(entry) == entry | {"pending_at": noon, "sent_at": noon, "history": history}


def test_the_document_names_every_status_and_every_reason(contract):
    properties = contract.document["components"]["schemas"]["Entry"]["properties"]
    assert properties["status"]["enum"] == list(Status)
    assert properties["reason"]["enum"] == [*Reason, None]


@pytest.mark.parametrize("status", Status)
def test_a_query_may_ask_for_each_status(status):
    assert RegistryQuerySchema().load({"status": status.value})["status"] is status


def test_a_query_need_not_ask_for_one_but_not_for_another():
    assert RegistryQuerySchema().load({})["status"] is None
    with pytest.raises(ValidationError):
        RegistryQuerySchema().load({"status": "SENT"})
